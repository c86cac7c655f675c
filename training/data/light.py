"""The light on a scene: slopes, shadows, glare, gamma, and very low contrast."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.config import SceneConfig
from training.data.styles import Column

_SOFT_EDGE = 25.0
"""Steepness of a shadow's edge, per side of the picture."""


@dataclass(frozen=True)
class Light:
    """How N scenes are lit; all arrays have N rows, `float32`."""

    slope: NDArray[np.float32]
    """`(N, 2)` change of illumination across the picture."""
    shadow: NDArray[np.float32]
    """`(N, 5)` normal x, normal y, offset, depth and steepness of a shadow's edge."""
    glare: NDArray[np.float32]
    """`(N, 4)` x, y, radius (shares of the picture), strength."""
    gamma: NDArray[np.float32]
    patch: NDArray[np.float32]
    """`(N, 5)` x, y, half width, half height (shares of the picture) of a patch of light; its factor, 1 for none."""
    floor: NDArray[np.float32]
    """Luminance of black in the camera ..."""
    span: NDArray[np.float32]
    """... and the difference to white: 1 for the full range, 0.05 for a symbol that is nearly black or washed out."""

    def ordinary(self) -> NDArray[np.bool_]:
        """`(N,)`, whether the light has none of the extreme kinds."""
        return np.asarray(
            (self.shadow[:, 4] == np.float32(_SOFT_EDGE)) & (self.patch[:, 4] == 1) & (self.span == 1)
        )


@dataclass(frozen=True)
class Shadows:
    """The first numbers drawn for the light of N scenes: `(N,)` each."""

    direction: NDArray[np.float64]
    lit: NDArray[np.bool_]
    """Unevenly."""
    shaded: NDArray[np.bool_]


def draw_shadows(config: SceneConfig, count: int, rng: np.random.Generator) -> Shadows:
    """Draw which of `count` scenes are unevenly lit, and the direction of their shadows."""
    direction = rng.uniform(0, 2 * np.pi, count)
    lit = rng.random(count) < config.uneven_light
    return Shadows(direction, lit, lit & (rng.random(count) < 0.35))


def draw_light(
    config: SceneConfig, shadows: Shadows, rng: np.random.Generator, extreme: np.random.Generator
) -> Light:
    """Draw the light of scenes with these shadows; the numbers of extreme light come from a generator of their own."""
    count = len(shadows.lit)

    def chance(probability: float) -> NDArray[np.bool_]:
        return np.asarray(rng.random(count) < probability)

    def uniform(low: float, high: float, *shape: int) -> NDArray[np.float32]:
        return rng.uniform(low, high, (count, *shape)).astype(np.float32)

    slope = uniform(-0.5, 0.5, 2) * shadows.lit[:, None]
    offset, depth = rng.uniform(-0.4, 0.4, count), rng.uniform(0, 0.6, count) * shadows.shaded
    glare = np.column_stack([uniform(0, 1, 2), uniform(0.08, 0.3), uniform(0.2, 0.9) * chance(config.glare)])
    gamma = np.where(chance(config.gamma), np.exp(uniform(-0.5, 0.5)), 1.0)

    drawn = extreme.random((4, count))
    chosen = drawn[0] < config.extreme_light
    hard, patched, flat = (chosen & (drawn[k] < share) for k, share in ((1, 0.35), (2, 0.3), (3, 0.7)))
    depth = np.where(hard, extreme.uniform(0.5, 0.95, count), depth)
    steepness = np.where(hard, np.exp(extreme.uniform(np.log(30), np.log(400), count)), _SOFT_EDGE)
    span = np.where(flat, np.exp(extreme.uniform(np.log(0.03), np.log(0.3), count)), 1.0)
    # Nearly black, washed out, or in between.
    kind, within = extreme.random(count), extreme.random(count)
    place = np.where(kind < 0.4, 0.1 * within, np.where(kind < 0.7, 1 - 0.1 * within, within))
    patch = [extreme.random((count, 2)), extreme.uniform(0.08, 0.5, (count, 2))]
    factor = np.where(patched, extreme.uniform(1.3, 3.5, count), 1.0)
    sides = [np.cos(shadows.direction), np.sin(shadows.direction)]
    return Light(
        slope=slope.astype(np.float32),
        shadow=np.column_stack([*sides, offset, depth, steepness]).astype(np.float32),
        glare=glare.astype(np.float32),
        gamma=gamma.astype(np.float32),
        patch=np.column_stack([*patch, factor]).astype(np.float32),
        floor=np.where(flat, place * (1 - span), 0).astype(np.float32),
        span=span.astype(np.float32),
    )


def illuminate(picture: Tensor, x: Tensor, y: Tensor, light: Light, column: Column) -> Tensor:
    """Luminances in [0, 1] of the reflectances `picture (N, H, W)` at shares `x`, `y` of the picture."""
    slope_x, slope_y = (column(values) for values in light.slope.T)
    normal_x, normal_y, offset, depth, steepness = (column(values) for values in light.shadow.T)
    edge = torch.sigmoid(((x - 0.5) * normal_x + (y - 0.5) * normal_y - offset) * steepness)
    picture = picture * ((1 + slope_x * (x - 0.5) + slope_y * (y - 0.5)) * (1 - depth * edge))
    patch_x, patch_y, half_x, half_y, factor = (column(values) for values in light.patch.T)
    if bool((factor > 1).any()):
        inside = ((x - patch_x).abs() < half_x) & ((y - patch_y).abs() < half_y)
        picture = torch.where(inside, picture * factor, picture)
    glare_x, glare_y, radius, strength = (column(values) for values in light.glare.T)
    if bool((strength > 0).any()):
        picture = picture + strength * torch.exp(-((x - glare_x) ** 2 + (y - glare_y) ** 2) / (2 * radius**2))
    exposed = torch.pow(picture.clamp(0, 1), column(light.gamma))
    return column(light.floor) + column(light.span) * exposed
