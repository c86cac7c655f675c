"""Checkpoints: everything a run needs to go on, and the configuration it was started with."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from training.config import TrainingConfig, parse


class CheckpointError(Exception):
    """The file is no checkpoint of this project; the message names it."""


@dataclass
class Checkpoint:
    """State of a run after `step` optimiser steps."""

    config: dict[str, Any]
    step: int
    seconds: float
    """Wall-clock time of training so far, over all resumptions."""
    commit: str
    """Commit of the code that wrote it, with `-dirty` where the tree differed."""
    generator: dict[str, torch.Tensor]
    ema: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    discriminator: dict[str, torch.Tensor] | None = None
    """Of a run against a discriminator, with spectral norm's vectors."""
    discriminator_optimiser: dict[str, Any] | None = None
    scaler: dict[str, Any] | None = None
    """Of a run in float16: by what its losses are scaled."""
    qualities: list[tuple[float, float]] = field(default_factory=list)
    """Of a run with `run.quality_crops`: read rate and perceptual distance at each validation so far."""
    notes: str = ""
    """Where the weights come from, if not from the training that the configuration describes alone."""

    def training_config(self) -> TrainingConfig:
        """The configuration, checked against the present schema."""
        return parse(self.config, "checkpoint")

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(asdict(self), partial)
        partial.rename(path)


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: missing, damaged or something else.
    """
    try:
        # Only tensors and plain containers: a checkpoint from elsewhere cannot run code.
        return Checkpoint(**torch.load(path, map_location=device, weights_only=True))
    except Exception as error:
        raise CheckpointError(f"{path}: no usable checkpoint ({type(error).__name__}: {error})") from error
