"""The readings of the binary pattern constraint: their gradients, and the result of a short training with each.

The paper says that its constraint is based on L2, but gives only a weight, equation (7), that peaks at mid-grey.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training import checkpoint as checkpoints
from training.config import TrainingConfig
from training.export import generator_of
from training.initial import load_initial
from training.losses.binary_pattern import binary_pattern_loss
from training.losses.config import BinaryPatternConfig
from training.models.factory import build_generator
from training.models.generator import Generator
from training.objective import shown
from training.train import train
from training.validate import Cell, make_cells, module_errors

READINGS: dict[str, BinaryPatternConfig | None] = {
    "none": None,
    "mean": BinaryPatternConfig(reading="mean"),
    "l2, weight differentiated": BinaryPatternConfig(reading="l2", differentiate_weight=True),
    "l2, weight fixed": BinaryPatternConfig(reading="l2"),
}
_GREY = (0.25, 0.75)


@dataclass(frozen=True)
class Reading:
    """Results of one reading of the constraint, on the validation cells of a run."""

    pushed_away: float | None
    """Share of the starting generator's pixels on the wrong side of mid-grey that the gradient of the constraint moves
    further from their target."""
    module_error: float
    """Mean over the cells of the share of wrong modules, after the training."""
    grey: float
    """Share of the pixels between a quarter and three quarters of full scale, after the training."""


def measure(config: TrainingConfig, weight: float, out: Path, cache: Path) -> dict[str, Reading]:
    """Train as configured with each reading at the same `weight`, into folders under `out`.

    The constraint of the configuration is replaced, but its ramp is kept. `run.initial` names the initial generator.
    """
    cells = make_cells(config, torch.device("cpu"), cache)
    initial = build_generator(config.generator).eval()
    if config.run.initial:
        load_initial(initial, config.run.initial)
    found = {}
    for name, reading in READINGS.items():
        loss = config.loss.model_copy(update={"binary_pattern": weight if reading else 0.0})
        pattern = (reading or config.binary_pattern).model_copy(
            update={key: getattr(config.binary_pattern, key) for key in ("alpha", "ramp_start", "ramp_steps")}
        )
        changed = config.model_copy(update={"loss": loss, "binary_pattern": pattern})
        folder = out / name.replace(", ", "-").replace(" ", "-")
        trained = generator_of(checkpoints.load(train(changed, folder, cache=cache)))
        found[name] = Reading(
            pushed_away=_pushed_away(initial, cells, pattern) if reading else None,
            module_error=float(np.mean(list(module_errors(trained, cells).values()))),
            grey=_grey(trained, cells),
        )
    return found


def _pushed_away(generator: Generator, cells: list[Cell], config: BinaryPatternConfig) -> float:
    wrong, away = 0, 0
    for cell in cells:
        hr = shown(cell.samples)
        sr = _picture(generator, cell).requires_grad_()
        (gradient,) = torch.autograd.grad(binary_pattern_loss(sr, hr, config), sr)
        # A step is against the gradient.
        mistaken = (sr.detach() > 0.5) != (hr > 0.5)
        wrong += int(mistaken.sum())
        away += int((mistaken & (-gradient * (hr - sr.detach()) < 0)).sum())
    return away / max(1, wrong)


def _grey(generator: Generator, cells: list[Cell]) -> float:
    low, high = _GREY
    shares = [
        ((sr > low) & (sr < high)).float().mean() for sr in (_picture(generator, cell) for cell in cells)
    ]
    return float(torch.stack(shares).mean())


@torch.no_grad()
def _picture(generator: Generator, cell: Cell) -> Tensor:
    sr: Tensor = generator(cell.samples.lr).sr
    return sr
