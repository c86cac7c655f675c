"""The training run: devices, networks, data, steps, checkpoints. Resumable at any step."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from training import checkpoint as checkpoints
from training.config import TrainingConfig
from training.data.samples import Samples
from training.data.stream import batches
from training.devices import launch
from training.errors import InterruptedRunError, TrainingError
from training.interruption import interruption
from training.picture_quality import Quality, QualityCrops
from training.players import Players
from training.runlog import RunLog
from training.stopping import BestSoFar
from training.validate import make_cells

LAST = "last.pt"
"""Name of a run's newest checkpoint in its folder."""
BEST = "best.pt"
"""Name of the checkpoint with the best pictures, if `run.quality_crops` is set."""


def train(
    config: TrainingConfig, out: Path, resume: Path | None = None, cache: Path = Path("build/cache")
) -> Path:
    """Train a generator and return the path of its last checkpoint, `out/last.pt`.

    `resume` is a checkpoint to continue from. It must have the same networks and data configuration; other keys, such
    as the number of steps, may differ. TensorBoard events, `losses.jsonl` and checkpoints go to `out`. Generated
    symbols are kept in `cache`. Under torchrun all processes call this, and the first one writes.

    Raises:
        TrainingError: a loss became infinite or NaN, or `out` holds a run that `resume` does not go on with.
        InterruptedRunError: SIGTERM or Ctrl-C was received; the checkpoint has been written.
        CheckpointError: `resume` or the configured initial weights cannot be used.
        ConfigError: the configuration does not suit the devices.
        WeightsError: there are no weights for the perceptual loss.
    """
    last, best = out / LAST, out / BEST
    if resume is None and last.exists():
        raise TrainingError(
            f"{out} holds a run already: go on with it by --resume {last}, or name another folder"
        )
    fabric = launch(config)
    state = _load(resume, config, fabric.device) if resume else None
    players = Players(config, fabric, cache, fresh=state is None)
    start, before, notes = 0, 0.0, ""
    if state:
        players.restore(state)
        start, before, notes = state.step, state.seconds, state.notes

    writes = fabric.is_global_zero
    log = RunLog(out, start) if writes else None
    cells = make_cells(config, fabric.device, cache) if writes else []
    gallery = QualityCrops.make(config, fabric.device, cache) if config.run.quality_crops else None
    qualities = BestSoFar(
        config.run.quality_crops, [Quality(*each) for each in state.qualities] if state else []
    )
    if gallery and not qualities.history:
        qualities.add(gallery.measure(players.average.average))
    fabric.barrier()
    stream = batches(config, start, fabric.device, cache, rank=fabric.global_rank, world=fabric.world_size)
    began = time.monotonic()
    commit = _commit()

    progress = tqdm(
        total=config.optimiser.steps,
        initial=start,
        desc="train",
        unit="step",
        mininterval=5,
        disable=not writes,
    )
    waited = 0.0
    step, saved, over = start, None, False
    with interruption() as asked:
        for step in range(start + 1, config.optimiser.steps + 1):
            samples, waiting = _next(stream)
            scalars = players.step(samples, step)
            waited += waiting
            progress.update()

            elapsed = before + time.monotonic() - began
            if step % config.run.log_every == 0:
                values = _over_all(fabric, scalars)
                values["learning_rate"] = players.generator.optimiser.param_groups[0]["lr"]
                values["seconds_waiting_for_data"] = waited / config.run.log_every
                waited = 0.0
                if log:
                    log.scalars(step, elapsed, values)
                    progress.set_postfix(loss=f"{values['g_loss']:.4f}")
            if log and step % config.run.validate_every == 0:
                log.validation(step, players.average.average, cells)
            if gallery and step % config.run.validate_every == 0:
                quality = gallery.measure(players.average.average)
                if log:
                    log.quality(step, quality)
                if qualities.add(quality) and writes:
                    _state(config, players, step, elapsed, commit, qualities, notes).save(best)
                over = 0 < config.run.patience <= qualities.stale()
            if log and step % config.run.image_every == 0:
                log.images(step, players.average.average, cells[0].samples)
            if writes and step % config.run.checkpoint_every == 0:
                _state(config, players, step, elapsed, commit, qualities, notes).save(last)
                saved = step
            if over or _anybody(fabric, asked.signal is not None):
                break
    progress.close()
    if writes and saved != step:
        elapsed = before + time.monotonic() - began
        _state(config, players, step, elapsed, commit, qualities, notes).save(last)
    if log:
        log.close()
    # No process ends before the checkpoint is written.
    fabric.barrier()
    if step < config.optimiser.steps and not over:
        raise InterruptedRunError(last, step, asked.signal or signal.SIGTERM)
    return last


def _state(
    config: TrainingConfig,
    players: Players,
    step: int,
    seconds: float,
    commit: str,
    qualities: BestSoFar,
    notes: str,
) -> checkpoints.Checkpoint:
    history = [(quality.read, quality.perceptual) for quality in qualities.history]
    data = config.model_dump(mode="json")
    return checkpoints.Checkpoint(
        data, step, seconds, commit, **players.state(), qualities=history, notes=notes
    )


def _next(stream: Iterator[Samples]) -> tuple[Samples, float]:
    """The next batch, and the seconds spent waiting for it."""
    asked = time.monotonic()
    samples = next(stream)
    return samples, time.monotonic() - asked


def _anybody(fabric: Fabric, asked: bool) -> bool:
    """Whether any process was asked to end; all must end at the same step."""
    if fabric.world_size == 1:
        return asked
    flag = torch.tensor([float(asked)], device=fabric.device)
    fabric.all_reduce(flag, reduce_op="sum")
    return bool(flag.item())


def _over_all(fabric: Fabric, scalars: dict[str, float | Tensor]) -> dict[str, float]:
    """Means over the processes."""
    values = torch.tensor([float(value) for value in scalars.values()], device=fabric.device)
    # Reduced in place.
    fabric.all_reduce(values)
    return dict(zip(scalars, values.tolist(), strict=True))


def _load(resume: Path, config: TrainingConfig, device: torch.device) -> checkpoints.Checkpoint:
    state = checkpoints.load(resume, device)
    earlier = state.training_config()
    if earlier.generator != config.generator or earlier.data != config.data:
        raise checkpoints.CheckpointError(f"{resume}: was trained with another generator or other data")
    if not state.optimiser:
        raise checkpoints.CheckpointError(
            f"{resume}: no training left it; start from it with run.initial instead"
        )
    if config.loss.adversarial:
        if state.discriminator is None:
            raise checkpoints.CheckpointError(
                f"{resume}: has no discriminator; start the second phase with run.initial instead"
            )
        if earlier.discriminator != config.discriminator:
            raise checkpoints.CheckpointError(f"{resume}: was trained with another discriminator")
    return state


def _commit() -> str:
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty"],  # noqa: S607
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
