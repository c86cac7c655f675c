"""Symbols as designers draw them: finders as circles or rounded frames, modules as dots or tiles, colours, a logo."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.config import SceneConfig

Column = Callable[[NDArray[np.generic]], Tensor]
"""Turns one value a sample, `(N,)`, into a tensor `(N, 1, 1)` on the rendering device."""

_SQUARE = 16.0
"""Exponent of a superellipse |x|^p + |y|^p = r^p that looks like a square; 2 gives a circle."""
_FINDER = 7
_OUTER, _GAP, _INNER = 3.5, 2.5, 1.5
"""Half widths in modules of a finder's frame, of the light ring in it, and of its centre."""


@dataclass(frozen=True)
class Style:
    """How N symbols differ from plain squares of ink. All arrays have N rows, `float32`; a style of zeros is plain."""

    frame: NDArray[np.float32]
    """Exponent of the superellipse of the finders' frames; 0 leaves the finders unchanged."""
    centre: NDArray[np.float32]
    """The same for the centres of the finders."""
    module: NDArray[np.float32]
    """The same for single dark modules outside of the finders; 0 leaves them unchanged."""
    module_radius: NDArray[np.float32]
    """Half width of these modules, in modules."""
    tint: NDArray[np.float32]
    """`(N, 2)` change of the ink's reflectance across and down the symbol, like a colour gradient."""
    logo: NDArray[np.float32]
    """`(N, 4)` half width and half height of a plate in the middle, as shares of the symbol, its reflectance, and that
    of the sign on it; 0 for none."""

    def plain(self) -> NDArray[np.bool_]:
        """`(N,)`, whether a symbol has no style at all."""
        any_of = (self.frame, self.centre, self.module, *self.tint.T, self.logo[:, 0])
        return np.asarray(sum(np.abs(values) for values in any_of) == 0)


def draw_style(config: SceneConfig, count: int, rng: np.random.Generator) -> Style:
    """Draw the styles of `count` symbols; a share `config.styled` of them has one."""

    def chance(probability: float) -> NDArray[np.bool_]:
        return np.asarray(styled & (rng.random(count) < probability))

    def exponent() -> NDArray[np.float32]:
        return rng.choice([2.0, 2.6, 4.0, _SQUARE], count, p=[0.45, 0.15, 0.25, 0.15]).astype(np.float32)

    styled = rng.random(count) < config.styled
    shaped, tiled, tinted, branded = chance(0.7), chance(0.6), chance(0.4), chance(0.4)
    module = np.where(rng.random(count) < 0.6, 2.0, np.where(rng.random(count) < 0.5, 4.0, _SQUARE))
    half = rng.uniform(0.06, 0.17, (count, 2)) * branded[:, None]
    return Style(
        frame=np.where(shaped, exponent(), 0).astype(np.float32),
        centre=np.where(shaped, exponent(), 0).astype(np.float32),
        module=np.where(tiled, module, 0).astype(np.float32),
        module_radius=rng.uniform(0.33, 0.5, count).astype(np.float32),
        tint=(rng.uniform(-0.35, 0.35, (count, 2)) * tinted[:, None]).astype(np.float32),
        logo=np.column_stack([half, rng.uniform(0.6, 1, count), rng.uniform(0, 1, count)]).astype(np.float32),
    )


def shape(
    darkness: Tensor, u: Tensor, v: Tensor, size: Tensor, px: Tensor, style: Style, column: Column
) -> Tensor:
    """`darkness` with modules and finders in their style. All tensors are `(N, H, W)` or broadcast to it; `u` and `v`
    are module coordinates, `px` the pixels of a module."""
    if not style.frame.any() and not style.module.any():
        return darkness
    left, top = u < _FINDER, v < _FINDER
    right, bottom = u > size - _FINDER, v > size - _FINDER
    at_finder = ((left & top) | (right & top) | (left & bottom)) & (u > 0) & (v > 0) & (u < size) & (v < size)

    module = column(style.module)
    reach = _norm(u - u.floor() - 0.5, v - v.floor() - 0.5, module)
    tile = ((column(style.module_radius) - reach) * px + 0.5).clamp(0, 1)
    darkness = torch.where((module > 0) & ~at_finder, darkness * tile, darkness)

    x, y = torch.where(left, u, size - u) - _FINDER / 2, torch.where(top, v, size - v) - _FINDER / 2
    frame, centre = column(style.frame), column(style.centre)

    def disc(radius: float, exponent: Tensor) -> Tensor:
        return ((radius - _norm(x, y, exponent)) * px + 0.5).clamp(0, 1)

    finder = disc(_OUTER, frame) * (1 - disc(_GAP, frame)) + disc(_INNER, centre)
    return torch.where((frame > 0) & at_finder, finder.clamp(0, 1), darkness)


def tint(u: Tensor, v: Tensor, style: Style, column: Column) -> Tensor:
    """The change of the ink's reflectance at shares `u`, `v` of the symbol."""
    across, down = (column(values) for values in style.tint.T)
    return across * (u - 0.5) + down * (v - 0.5)


def brand(printed: Tensor, u: Tensor, v: Tensor, style: Style, column: Column) -> Tensor:
    """Reflectances `printed` with a plate and a sign in the middle; `u` and `v` are shares of the symbol."""
    wide, high, plate, sign = (column(values) for values in style.logo.T)
    if not style.logo[:, 0].any():
        return printed
    x, y = (u - 0.5).abs() / wide.clamp_min(1e-6), (v - 0.5).abs() / high.clamp_min(1e-6)
    on_plate = (wide > 0) & (torch.maximum(x, y) < 1)
    printed = torch.where(on_plate, plate, printed)
    return torch.where(on_plate & (torch.hypot(x, y) < 0.75), sign, printed)


def _norm(x: Tensor, y: Tensor, exponent: Tensor) -> Tensor:
    """(|x|^p + |y|^p)^(1/p) with p of at least 2, without overflow."""
    p = exponent.clamp_min(2)
    largest = torch.maximum(x.abs(), y.abs()).clamp_min(1e-6)
    inside: Tensor = ((x.abs() / largest) ** p + (y.abs() / largest) ** p) ** (1 / p)
    return largest * inside
