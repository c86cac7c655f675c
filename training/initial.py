"""Weights to start a training from: an earlier checkpoint, or a released graph."""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training import checkpoint as checkpoints
from training.checkpoint import CheckpointError
from training.models.compact import CompactGenerator

PREFIX = "generator."
"""Prefix that `training.export` gives the name of every weight."""


def load_initial(generator: nn.Module, path: Path) -> None:
    """Copy the weights in `path`, a checkpoint (`.pt`, its averaged weights) or a released graph (`.onnx`).

    If a compact `generator` has more residual blocks than the file, they start by adding nothing, so that the deeper
    network first computes the same as the shallower one (Chen et al. 2016, Net2Net).

    Raises:
        CheckpointError: the file is unreadable, or its weights do not fit this kind of network.
    """
    found = graph_weights(path) if path.suffix == ".onnx" else checkpoints.load(path).ema
    own = generator.state_dict()
    unknown = sorted(
        name for name, value in found.items() if name not in own or own[name].shape != value.shape
    )
    missing = sorted(own.keys() - found.keys())
    grows = isinstance(generator, CompactGenerator)
    new_blocks = {name for name in missing if grows and name.startswith("body.")}
    if unknown or set(missing) - new_blocks:
        culprit = [*unknown, *sorted(set(missing) - new_blocks)][0]
        raise CheckpointError(f"{path}: weights of another generator ({culprit})")
    generator.load_state_dict(own | found)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name in new_blocks and ".second." in name:
                parameter.zero_()


def graph_weights(path: Path) -> dict[str, Tensor]:
    """The weights of an exported generator, with the names that they have in its network.

    Raises:
        CheckpointError: `path` is no ONNX graph.
    """
    try:
        graph = onnx.load(path).graph
    except Exception as error:
        raise CheckpointError(f"{path}: no usable graph ({type(error).__name__}: {error})") from error
    return {
        tensor.name.removeprefix(PREFIX): torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in graph.initializer
        if tensor.name.startswith(PREFIX)
    }
