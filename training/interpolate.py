"""Network interpolation: a generator between the PSNR-oriented one and the adversarially trained one.

θ = (1 - α) θ_PSNR + α θ_GAN over all weights (Wang et al. 2018, section 3.4). It works if the second network was
trained from the first, so that both are in the same basin of the loss.
"""

from pathlib import Path

import torch
from torch import Tensor

from model_store.manifest import MANIFEST_NAME, ManifestError, load_generator
from training import checkpoint as checkpoints
from training.checkpoint import Checkpoint, CheckpointError
from training.config import parse
from training.initial import graph_weights
from training.models.factory import build_generator


def source(path: Path) -> Checkpoint:
    """The generator at `path`, a checkpoint or the folder of a released version, whose weights count as averaged.

    Raises:
        CheckpointError: `path` is neither of the two, or damaged.
    """
    if not (path / MANIFEST_NAME).is_file():
        return checkpoints.load(path)
    try:
        manifest, graph = load_generator(path)
    except ManifestError as error:
        raise CheckpointError(str(error)) from error
    record, found = manifest.training, graph_weights(graph)
    own = build_generator(parse(record.config, str(path)).generator).state_dict()
    # The exporter omits a bias that is zero.
    lost = [name for name in own if name not in found and not name.endswith(".bias")]
    if lost:
        raise CheckpointError(f"{path}: {lost[0]} cannot be distinguished from other weights in the graph")
    weights = {name: found.get(name, torch.zeros_like(value)) for name, value in own.items()}
    return Checkpoint(record.config, record.steps, record.seconds, record.commit, weights, weights, {})


def interpolate(psnr: Path, gan: Path, alpha: float) -> Checkpoint:
    """The generator between those at `psnr` and `gan`, see `source`; 0 is the first, 1 the second.

    It has the configuration, steps and time of `gan`, and notes that name its sources. It can be exported or used as
    initial weights, but not resumed.

    Raises:
        CheckpointError: one of them cannot be used, or the networks differ.
        ValueError: `alpha` outside [0, 1].
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie in [0, 1], not {alpha:g}")
    first, second = source(psnr), source(gan)
    if first.training_config().generator != second.training_config().generator:
        raise CheckpointError(f"{psnr} and {gan} are different networks")
    weights = {name: _between(first.ema[name], value, alpha) for name, value in second.ema.items()}
    notes = f"Interpolated: {1 - alpha:g} of {_name(psnr)} and {alpha:g} of {_name(gan)}."
    return Checkpoint(
        second.config, second.step, second.seconds, second.commit, weights, weights, {}, notes=notes
    )


def _between(first: Tensor, second: Tensor, alpha: float) -> Tensor:
    # The counters of batch norm are no weights.
    return torch.lerp(first, second, alpha) if second.is_floating_point() else second.clone()


def _name(path: Path) -> str:
    """`name/version` of a release, `run/file` of a checkpoint: enough to find it, without the paths of a machine."""
    return "/".join(path.parts[-2:])
