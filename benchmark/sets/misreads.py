"""The trials of the misread count: small pictures without a complete QR symbol, or with one that is hard to read.

Every trial depends only on the seed and its number. A trial without a payload (`truth` is empty) must give no payload;
a trial with a payload may give it or none.
"""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.arms import Arm, Image
from benchmark.sets.incomplete import Whole, draw_whole, overwritten
from benchmark.sets.lookalikes import FIELDS, hollow_symbol, other_code
from benchmark.sets.masked_photos import MaskedPhoto, photo_crop
from scoring import degradations
from scoring.cases import picture
from scoring.families import FAMILIES
from scoring.scenes import Matrix, Plane, homography, project, reduce
from scoring.surroundings import KINDS, draw_surroundings
from scoring.symbols import draw_symbol

SHARES = {
    "noise": 0.15,
    "texture": 0.15,
    "text": 0.13,
    "scene": 0.13,
    "other code": 0.16,
    "hollow symbol": 0.02,
    "cut symbol": 0.17,
    "overwritten beyond the limit": 0.04,
    "damaged symbol": 0.01,
    "near the wall": 0.04,
}
"""Kinds of trials and their shares."""
WITH_PAYLOAD = ("damaged symbol", "near the wall")
PHOTO = "photograph, symbol painted over"
"""A further kind, if a folder of photographs is given, with `PHOTO_SHARE` of the trials."""
PHOTO_SHARE = 0.1
_STREAM = 0x315E
_OVERSAMPLING = 3
_SMALLEST, _LARGEST = 24, 64
"""Sides of the pictures, in pixels; a symbol of version 1 at 1.1 pixels a module has 23."""
_RASTER = 8
"""Pixels per module of a pasted symbol."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture. Its kind is the first part of its name."""

    number: int
    seed: int
    arms: tuple[Arm, ...]
    photos: tuple[MaskedPhoto, ...] = ()

    @property
    def name(self) -> str:
        """For example `noise-001234`."""
        return f"{self.kind}-{self.number:06d}"

    @property
    def kind(self) -> str:
        """One of `SHARES`, or `PHOTO`."""
        rng = np.random.default_rng([_STREAM, self.seed, self.number, 0])
        if self.photos and rng.random() < PHOTO_SHARE:
            return PHOTO
        return str(rng.choice(list(SHARES), p=list(SHARES.values())))

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        """The same picture for other arms."""
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """`lr`, and the payload that may be read, if any."""
        seed = [_STREAM, self.seed, self.number, 1]
        rng = np.random.default_rng(seed)
        kind = self.kind
        if kind == PHOTO:
            photo = self.photos[rng.integers(len(self.photos))]
            return {"lr": _compressed(photo_crop(photo, _shape(rng), rng), rng)}, ()
        if kind in FIELDS:
            height, width = _shape(rng)
            plane = FIELDS[kind]((height * _OVERSAMPLING, width * _OVERSAMPLING), rng)
            return {"lr": _taken(plane, rng)}, ()
        if kind == "near the wall":
            symbol = draw_symbol(int(rng.integers(1, 7)), rng)
            family = list(FAMILIES)[rng.integers(len(FAMILIES))]
            px = float(rng.uniform(0.9, 1.5))
            return {"lr": picture(FAMILIES[family](rng), symbol, px, seed)}, (symbol.payload,)
        if kind == "cut symbol":
            return {"lr": _cut(rng)}, ()
        if kind == "other code":
            return {"lr": _whole(other_code(rng), float(rng.uniform(1.0, 3.0)), rng)}, ()
        if kind == "hollow symbol":
            return {"lr": _whole(hollow_symbol(rng), float(rng.uniform(1.1, 2.5)), rng)}, ()
        return _written_over(kind == "overwritten beyond the limit", rng)


def trials(
    numbers: range, seed: int, arm: Arm, rare: Arm, every: int, photos: tuple[MaskedPhoto, ...]
) -> list[Trial]:
    """The trials with these numbers for `arm`; every `every`-th also for `rare`."""
    both = {True: (arm, rare), False: (arm,)}
    return [Trial(number, seed, both[number % every == 0], photos) for number in numbers]


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    """Mostly small, because many trials are worth more than large ones: half of the sides are below 30."""
    height, width = (int(side) for side in _SMALLEST + (_LARGEST - _SMALLEST) * rng.random(2) ** 3)
    return height, width


def _written_over(beyond: bool, rng: np.random.Generator) -> tuple[dict[str, Image], tuple[bytes, ...]]:
    while True:
        whole = draw_whole((1, 4), rng)
        modules = overwritten(whole, beyond, rng)
        if modules is not None:
            truth = () if beyond else (whole.payload,)
            return {"lr": _whole(modules, float(rng.uniform(1.1, 2.5)), rng)}, truth


def _whole(modules: NDArray[np.bool_], px: float, rng: np.random.Generator) -> Image:
    """A code that is wholly in the picture, at most `_LARGEST` pixels long."""
    longest = max(modules.shape) + 2
    px = min(px, _LARGEST / longest)
    to_picture = _pose(modules.shape, px, rng)
    height, width = modules.shape
    corners = np.array([[-1, -1], [width + 1, -1], [width + 1, height + 1], [-1, height + 1]], float)
    outline = project(to_picture, corners)
    low = np.floor(outline.min(axis=0)) - rng.integers(0, 5, 2)
    extent = np.ceil(outline.max(axis=0) - low).astype(int) + rng.integers(1, 5, 2)
    moved = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]]) @ to_picture
    return _taken(_pasted(modules, moved, (int(extent[1]), int(extent[0])), rng), rng)


def _cut(rng: np.random.Generator) -> Image:
    """A full symbol that the picture shows only in part, too little to know the payload (see `incomplete`)."""
    while True:
        whole = draw_whole((1, 7), rng)
        n = len(whole.modules)
        px = float(rng.uniform(1.1, 3.0))
        shape = tuple(int(side) for side in np.clip(px * n * rng.uniform(0.35, 1.1, 2), _SMALLEST, _LARGEST))
        to_picture = _pose((n, n), px, rng)
        middle = project(to_picture, np.array([[n / 2, n / 2]]))[0]
        place = rng.uniform(-0.1, 1.1, 2) * (shape[1], shape[0]) - middle
        moved = np.array([[1, 0, place[0]], [0, 1, place[1]], [0, 0, 1.0]]) @ to_picture
        hidden = _outside(whole, moved, (shape[0], shape[1]))
        if whole.is_lost(hidden) and (~hidden).mean() > 0.15:
            return _taken(_pasted(whole.modules, moved, (shape[0], shape[1]), rng), rng)


def _outside(whole: Whole, to_picture: Matrix, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """`(n, n)`: modules whose centre is at least a module and at least a pixel outside of the picture."""
    n = len(whole.modules)
    rows, columns = np.mgrid[0:n, 0:n]
    at = project(to_picture, np.column_stack([columns.ravel(), rows.ravel()]) + 0.5).reshape(n, n, 2)
    step = max(1.0, float(np.linalg.norm(at[1:] - at[:-1], axis=2).mean()))
    beyond = np.maximum(-at, at - [shape[1], shape[0]]).max(axis=2)
    return np.asarray(beyond >= step)


def _pose(shape: tuple[int, ...], px: float, rng: np.random.Generator) -> Matrix:
    """Modules to pixels: `px` pixels a module, any angle, a little perspective."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    angle = float(rng.choice([0.0, np.pi / 2, np.pi, rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi)]))
    cos, sin = np.cos(angle), np.sin(angle)
    bent = corners + rng.uniform(-0.03, 0.03, (4, 2)) * min(shape)
    return homography(corners, px * (bent @ np.array([[cos, sin], [-sin, cos]])) + rng.random(2))


def _pasted(
    modules: NDArray[np.bool_], to_picture: Matrix, shape: tuple[int, int], rng: np.random.Generator
) -> Plane:
    """Modules and a quiet zone of 0 to 4 on surroundings, `_OVERSAMPLING` pixels a side for each of the picture."""
    quiet = int(rng.integers(0, 5))
    dark, light = (rng.uniform(0, 0.3), rng.uniform(0.6, 1)) if rng.random() < 0.9 else (0.9, 0.1)
    label = np.where(np.pad(modules, quiet), dark, light).astype(np.float32)
    raster = np.kron(label, np.ones((_RASTER, _RASTER), np.float32))
    s = _OVERSAMPLING
    fine = (shape[1] * s, shape[0] * s)
    # Pixel centres are at halves in `to_picture` and at integers in OpenCV.
    from_raster = np.array(
        [[1 / _RASTER, 0, 0.5 / _RASTER - quiet], [0, 1 / _RASTER, 0.5 / _RASTER - quiet], [0, 0, 1]]
    )
    to_fine = np.array([[s, 0, -0.5], [0, s, -0.5], [0, 0, 1.0]])
    whole = to_fine @ to_picture @ from_raster
    plane = cv2.warpPerspective(raster, whole, fine, borderMode=cv2.BORDER_CONSTANT, borderValue=-1)
    around = draw_surroundings(KINDS[rng.integers(len(KINDS))], (fine[1], fine[0]), rng)
    return np.where(plane < min(dark, light) - 0.01, around, plane).astype(np.float32)


def _taken(plane: Plane, rng: np.random.Generator) -> Image:
    """The camera's image of a plane with `_OVERSAMPLING` pixels for each of its own."""
    s = _OVERSAMPLING
    blurred = degradations.gaussian(plane, s * float(rng.choice([0.0, 0.3, 0.5, 0.8])))
    small = reduce(blurred, (plane.shape[0] // s, plane.shape[1] // s))
    level = float(rng.choice([0.0, 0.01, 0.03, 0.08]))
    return _compressed(degradations.quantise(degradations.noise(small, level, rng)), rng)


def _compressed(image: Image, rng: np.random.Generator) -> Image:
    quality = int(rng.choice([0, 10, 30, 50, 75, 90]))
    return degradations.jpeg(image, quality) if quality else image
