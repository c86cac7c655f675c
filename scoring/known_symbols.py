"""Logits of a symbol with known modules and position."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.pictures import bilinear
from service.decoding.soft.refinement import PER_MODULE, softened


@dataclass(frozen=True)
class Simulated:
    """Logits and the truth about them."""

    logits: NDArray[np.float32]
    """`(H, W) float32`, negative where dark."""
    modules: NDArray[np.bool_]
    """`(n, n)` bool, True for dark, upright and unmirrored."""
    centres: NDArray[np.float64]
    """`(n, n, 2)` x, y of the module centres in pixels; the centre of the first pixel is (0, 0)."""


def true_means(truth: Simulated) -> NDArray[np.float32]:
    """`(n, n)` logits averaged per module as in the reader, at the true positions."""
    n = len(truth.modules)
    offsets = (np.arange(PER_MODULE) + 0.5) / PER_MODULE - 0.5
    right = np.gradient(truth.centres, axis=1)[:, None, :, None]
    down = np.gradient(truth.centres, axis=0)[:, None, :, None]
    at = truth.centres[:, None, :, None] + offsets[:, None, None, None] * down + offsets[:, None] * right
    return softened(bilinear(truth.logits, at.reshape(PER_MODULE * n, PER_MODULE * n, 2)))
