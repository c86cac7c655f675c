"""JPEG's loss on luma and colour, on batches and on any device (ITU-T T.81, tables K.1 and K.2 scaled as libjpeg
does; JFIF's YCbCr with chroma at half the resolution)."""

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
# Table K.2: its upper left quarter, all else is 99.
_CHROMINANCE = ((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))

LUMA = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
"""Shares of red, green and blue in luma (ITU-R BT.601), `(3, 1, 1)`."""
_CHROMA_SCALES = (1.772, 1.402)
"""(B - Y) / Cb and (R - Y) / Cr (JFIF 1.02)."""


def quantisation_tables(quality: Tensor, *, chroma: bool = False) -> Tensor:
    """Tables `(N, 8, 8)` of integers for qualities `(N,)` from 1 to 100, by libjpeg's scaling."""
    quality = quality.round().clamp(1, 100)
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    base = torch.full((8, 8), 99.0, device=quality.device)
    table = _CHROMINANCE if chroma else _LUMINANCE
    base[: len(table), : len(table)] = torch.tensor(table, dtype=torch.float32, device=quality.device)
    return ((base * scale[:, None, None] + 50) / 100).floor().clamp(1, 255)


def _dct_matrix(device: torch.device) -> Tensor:
    k = torch.arange(8, dtype=torch.float64)
    matrix = torch.cos((2 * k + 1) * k[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix.to(device, torch.float32)


def compress(images: Tensor, quality: Tensor, shift: tuple[int, int] = (0, 0)) -> Tensor:
    """`(N, C, H, W) float32` in [0, 1] after JPEG: quantised to 8 bits, same shape.

    C is 1 for luma or 3 for RGB, whose chroma is halved as usual (4:2:0). `quality` is `(N,)`, 1 to 100. `shift`
    (rows, columns; 0 to 7) starts the 8x8 blocks that many pixels before the corner of the image, as if the image had
    been cropped after compression.
    """
    height, width = images.shape[2:]
    top, left = shift
    # Blocks of chroma cover 16 pixels of the picture.
    block = 8 if images.shape[1] == 1 else 16
    padding = (left, -(width + left) % block, top, -(height + top) % block)
    padded = (torch.nn.functional.pad(images, padding, mode="replicate") * 255).round()
    if images.shape[1] == 1:
        decoded = _quantised(padded - 128, quantisation_tables(quality)) + 128
    else:
        decoded = _colour(padded, quality)
    decoded = decoded.round().clamp(0, 255) / 255
    return decoded[:, :, top : top + height, left : left + width]


def _colour(levels: Tensor, quality: Tensor) -> Tensor:
    """RGB levels `(N, 3, H, W)` in [0, 255] after JPEG; H and W are multiples of 16."""
    luma = (levels * LUMA.to(levels)).sum(1, keepdim=True)
    tables = quantisation_tables(quality, chroma=True)
    decoded = _quantised(luma.round() - 128, quantisation_tables(quality)) + 128
    blue, red = (
        scale
        * torch.nn.functional.interpolate(
            _quantised(
                torch.nn.functional.avg_pool2d((levels[:, [channel]] - luma) / scale, 2).round(), tables
            ),
            scale_factor=2.0, mode="bilinear",
        )
        for channel, scale in zip((2, 0), _CHROMA_SCALES, strict=True)
    )  # fmt: skip
    # Y = 0.299 R + 0.587 G + 0.114 B, solved for G - Y.
    share_red, share_green, share_blue = LUMA.flatten().tolist()
    green = -(share_red * red + share_blue * blue) / share_green
    return decoded + torch.cat([red, green, blue], 1)


def _quantised(plane: Tensor, tables: Tensor) -> Tensor:
    """`(N, 1, H, W)` after quantisation of its transform's coefficients; H and W are multiples of 8."""
    count, _, height, width = plane.shape
    blocks = plane.reshape(count, height // 8, 8, width // 8, 8).transpose(2, 3)
    dct = _dct_matrix(plane.device)
    steps = tables[:, None, None]
    coefficients = ((dct @ blocks @ dct.T) / steps).round() * steps
    return (dct.T @ coefficients @ dct).transpose(2, 3).reshape(count, 1, height, width)


def draw_quality(
    low: float, high: float, count: int, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Qualities `(count,) float32`, half of them from the lowest third, where the loss is visible."""
    edge = low + (high - low) / 3
    return np.where(
        rng.random(count) < 0.5, rng.uniform(low, edge, count), rng.uniform(low, high, count)
    ).astype(np.float32)
