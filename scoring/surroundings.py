"""Surroundings of a label: paper, print, wood, packaging. `(H, W) float32` in [0, 1]."""

from typing import Literal

import cv2
import numpy as np

from scoring.scenes import Plane

Kind = Literal["paper", "print", "wood", "patches", "dark"]
KINDS: tuple[Kind, ...] = ("paper", "print", "wood", "patches", "dark")
_SIZE = 256


def draw_surroundings(kind: Kind, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """A picture of `kind` with the given shape; the same state of `rng` gives the same picture, enlarged or reduced."""
    base = _DRAWERS[kind](rng)
    picture = cv2.resize(base, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.clip(picture, 0, 1).astype(np.float32)


def _paper(rng: np.random.Generator) -> Plane:
    grain = cv2.resize(rng.normal(0, 1, (64, 64)).astype(np.float32), (_SIZE, _SIZE))
    return (rng.uniform(0.7, 0.98) + 0.02 * grain).astype(np.float32)


def _print(rng: np.random.Generator) -> Plane:
    """Rows of blocks like words on paper."""
    picture = np.full((_SIZE, _SIZE), rng.uniform(0.75, 1.0), np.float32)
    ink, height = float(rng.uniform(0, 0.35)), int(rng.integers(5, 14))
    for y in range(int(rng.integers(0, height)), _SIZE, 2 * height):
        x = int(rng.integers(0, 20))
        while x < _SIZE:
            width = int(rng.integers(2, 5 * height))
            for stroke in range(x, min(x + width, _SIZE), 3):
                low = y + int(rng.integers(0, height // 2))
                picture[low : y + height, stroke : stroke + 2] = ink
            x += width + height
    return picture


def _wood(rng: np.random.Generator) -> Plane:
    y, x = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float32)
    warp = cv2.resize(
        rng.normal(0, 1, (6, 6)).astype(np.float32), (_SIZE, _SIZE), interpolation=cv2.INTER_CUBIC
    )
    rings = np.sin(y / rng.uniform(3, 10) + 3 * warp + x / 80)
    return np.asarray(rng.uniform(0.25, 0.6) + rng.uniform(0.05, 0.15) * rings, np.float32)


def _patches(rng: np.random.Generator) -> Plane:
    picture = np.full((_SIZE, _SIZE), rng.uniform(0, 1), np.float32)
    for _ in range(int(rng.integers(8, 30))):
        points = rng.integers(-40, _SIZE + 40, 2) + rng.integers(-70, 70, (int(rng.integers(3, 6)), 2))
        cv2.fillPoly(picture, [points.astype(np.int32)], float(rng.uniform(0, 1)))
    return picture


def _dark(rng: np.random.Generator) -> Plane:
    noise = cv2.resize(rng.normal(0, 1, (16, 16)).astype(np.float32), (_SIZE, _SIZE))
    return (rng.uniform(0.02, 0.25) + 0.03 * noise).astype(np.float32)


_DRAWERS = {"paper": _paper, "print": _print, "wood": _wood, "patches": _patches, "dark": _dark}
