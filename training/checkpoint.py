"""Checkpoints: everything that a run needs to continue, and the configuration it was started with."""

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
    """Commit of the code that wrote it, with `-dirty` if the tree differed."""
    generator: dict[str, torch.Tensor]
    ema: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    discriminator: dict[str, torch.Tensor] | None = None
    """In a run against a discriminator: its weights, with the vectors of spectral norm."""
    discriminator_optimiser: dict[str, Any] | None = None
    scaler: dict[str, Any] | None = None
    """In a run with float16: the state of the loss scaler."""
    qualities: list[tuple[float, float]] = field(default_factory=list)
    """In a run with `run.quality_crops`: read rate and perceptual distance at each validation so far."""
    notes: str = ""
    """Where the weights come from, if not only from the training that the configuration describes."""

    def training_config(self) -> TrainingConfig:
        """The configuration, checked against the present schema."""
        return parse(self.config, "checkpoint")

    def save(self, path: Path) -> None:
        """Write to `path` atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(asdict(self), partial)
        partial.rename(path)


def halved(checkpoint: Checkpoint) -> Checkpoint:
    """The same state in 16 bits, small enough to keep with the code; a run continues from it almost unchanged.

    Weights become float16. The optimisers' moments become bfloat16: squares of small gradients lie below the range of
    float16.
    """
    fields = {name: getattr(checkpoint, name) for name in checkpoint.__dataclass_fields__}
    for name in ("generator", "ema", "discriminator"):
        fields[name] = _cast(fields[name], torch.float16)
    for name in ("optimiser", "discriminator_optimiser"):
        fields[name] = _cast(fields[name], torch.bfloat16)
    return Checkpoint(**fields)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Nested containers with every float32 tensor that has dimensions converted to `dtype`; the rest is unchanged."""
    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.dtype == torch.float32 and value.dim() else value
    if isinstance(value, dict):
        return {key: _cast(item, dtype) for key, item in value.items()}
    if isinstance(value, list):
        return [_cast(item, dtype) for item in value]
    return value


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged or no checkpoint.
    """
    try:
        # Only tensors and plain containers: a checkpoint from elsewhere cannot run code.
        return Checkpoint(**torch.load(path, map_location=device, weights_only=True))
    except Exception as error:
        raise CheckpointError(f"{path}: no usable checkpoint ({type(error).__name__}: {error})") from error
