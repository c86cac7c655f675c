"""JPEG's loss on luma, on batches and on any device (ITU-T T.81; table K.1 scaled as libjpeg does)."""

import math

import numpy as np
import torch
from torch import Tensor

# ITU-T T.81, Annex K, table K.1.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def quantisation_tables(quality: Tensor) -> Tensor:
    """Luminance tables `(N, 8, 8)` of integers for qualities `(N,)` from 1 to 100, by libjpeg's scaling."""
    quality = quality.round().clamp(1, 100)
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    base = torch.tensor(_LUMINANCE, dtype=torch.float32, device=quality.device)
    return ((base * scale[:, None, None] + 50) / 100).floor().clamp(1, 255)


def _dct_matrix(device: torch.device) -> Tensor:
    k = torch.arange(8, dtype=torch.float64)
    matrix = torch.cos((2 * k + 1) * k[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix.to(device, torch.float32)


def compress(images: Tensor, quality: Tensor, shift: tuple[int, int] = (0, 0)) -> Tensor:
    """What JPEG leaves of `(N, 1, H, W) float32` in [0, 1]: quantised to 8 bits, same shape.

    `quality` is `(N,)`, 1 to 100. `shift` (rows, columns; 0 to 7) starts the 8x8 blocks so many pixels before
    the corner of the image, as if it had been cropped after compression.
    """
    count, _, height, width = images.shape
    top, left = shift
    bottom, right = -(height + top) % 8, -(width + left) % 8
    padded = torch.nn.functional.pad(images, (left, right, top, bottom), mode="replicate")
    levels = (padded * 255).round() - 128
    rows, columns = levels.shape[2] // 8, levels.shape[3] // 8
    blocks = levels.reshape(count, rows, 8, columns, 8).transpose(2, 3)
    dct = _dct_matrix(images.device)
    tables = quantisation_tables(quality)[:, None, None]
    coefficients = ((dct @ blocks @ dct.T) / tables).round() * tables
    decoded = (dct.T @ coefficients @ dct).transpose(2, 3).reshape(count, 1, rows * 8, columns * 8)
    decoded = (decoded + 128).round().clamp(0, 255) / 255
    return decoded[:, :, top : top + height, left : left + width]


def draw_quality(
    low: float, high: float, count: int, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Qualities `(count,) float32`, half of them from the lowest third, where the loss is felt."""
    edge = low + (high - low) / 3
    return np.where(
        rng.random(count) < 0.5, rng.uniform(low, edge, count), rng.uniform(low, high, count)
    ).astype(np.float32)
