"""Validation during training: the share of wrong modules at the points where a reader samples them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.config import TrainingConfig
from training.data.config import SymbolConfig
from training.data.geometry import Placement
from training.data.presets import jpeg_only, upright_scene
from training.data.samples import Materials, Samples, SampleSource
from training.data.symbols import size_of

SEED_OFFSET = 1_000_003
"""Added to the data's seed, so that validation draws other symbols, payloads and noise than training."""

_MIN_MODULES = 40
"""A sample that shows fewer modules is not counted."""


@dataclass(frozen=True)
class Cell:
    """Samples of one kind of degradation at one module size."""

    name: str
    samples: Samples


def make_cells(config: TrainingConfig, device: torch.device, cache: Path | None) -> list[Cell]:
    """Camera-like and upright JPEG samples at sizes around the limit of legibility."""
    upright = upright_scene()
    kinds = {
        "camera": (config.data.scene, config.data.degradation),
        "jpeg50": (upright, jpeg_only(50)),
        "jpeg10": (upright, jpeg_only(10)),
    }
    unseen = config.data.model_copy(
        update={
            "seed": config.data.seed + SEED_OFFSET,
            "symbols": SymbolConfig(count=200, versions=(1, 15)),
        }
    )
    materials = Materials.make(unseen, device, cache)
    cells = []
    for kind, (scene, degradation) in kinds.items():
        for ppm in (1.0, 1.2, 1.4):
            data = unseen.model_copy(
                update={
                    "scene": scene.model_copy(update={"px_per_module": (ppm, ppm), "hard_share": 0.0}),
                    "degradation": degradation,
                }
            )
            source = SampleSource(data, config.loss, materials, device)
            cells.append(Cell(f"{kind}/{ppm}", source.chunk(0, config.run.validation_samples)))
    return cells


@torch.no_grad()
def module_errors(generator: nn.Module, cells: list[Cell]) -> dict[str, float]:
    """Median over samples of the share of wrong modules, for each cell, at the true module centres."""
    return {
        cell.name: float(np.median(sample_errors(cell.samples, generator(cell.samples.lr).logits.float())))
        for cell in cells
    }


def sample_errors(samples: Samples, logits: Tensor) -> list[float]:
    """Share of wrong modules of each sample that shows enough of them, from logits `(N, 1, H, W)`."""
    images = logits[:, 0].cpu().numpy()
    placement = Placement(
        samples.pixel_to_module.cpu().numpy(), samples.bend.cpu().numpy(), np.zeros(len(samples), np.float64)
    )
    errors = []
    for i, image in enumerate(images):
        size = size_of(int(samples.version[i]))
        wrong = wrong_modules(image, samples.target[i, 0].cpu().numpy(), placement, i, size)
        if len(wrong) >= _MIN_MODULES:
            errors.append(float(wrong.mean()))
    return errors


def wrong_modules(
    logits: NDArray[np.float32], target: NDArray[np.uint8], placement: Placement, index: int, size: int
) -> NDArray[np.bool_]:
    """For each module inside the picture, whether the sign of its logit `(H, W)` differs from the target's.

    The target `(H, W) uint8` is compared at the same pixel, so that inverted symbols need no special case.
    """
    rows, columns = np.mgrid[0:size, 0:size]
    centres = placement.pixels_at(index, np.column_stack([columns.ravel(), rows.ravel()]) + 0.5, size)
    pixels = np.floor(centres).astype(int)
    inside = ((pixels >= 0) & (pixels < logits.shape[0])).all(axis=1)
    x, y = pixels[inside].T
    return np.asarray((logits[y, x] > 0) != (target[y, x] > 127))
