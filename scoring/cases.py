"""One picture of the sweep: the appearance of a symbol, its pose, and its degradation."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np

from scoring import degradations
from scoring.degradations import Image
from scoring.scenes import (
    Light,
    Look,
    Matrix,
    Place,
    Plane,
    corners_of,
    draw,
    homography,
    illuminate,
    project,
    reduce,
    unbent,
)
from scoring.surroundings import Kind, draw_surroundings
from scoring.symbols import Symbol

Optics = Callable[[Plane, int, np.random.Generator], Plane]
"""From the scene, its pixels per LR pixel and a source of noise to the scene on the sensor."""
Sensor = Callable[[Plane, np.random.Generator], Image]
"""From LR luminance to the picture that the reader gets."""


@dataclass(frozen=True, slots=True)
class Pose:
    """The pose of the symbol before it is scaled to the requested pixels per module."""

    angle: float = 0.0
    """Radians."""
    jitter: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 4
    """Shift of each corner as a share of the side: perspective."""
    phase: tuple[float, float] = (0.0, 0.0)
    """Offset of the symbol's corner from the pixel grid, in LR pixels."""
    half_angle: float = 0.0
    surround: float = 2.0
    """Modules of surroundings that the crop shows beyond the quiet zone."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything about one symbol of a family except its size in pixels."""

    look: Look = field(default_factory=Look)
    pose: Pose = field(default_factory=Pose)
    light: Light = field(default_factory=Light)
    kind: Kind = "paper"
    optics: Optics = lambda plane, _scale, _rng: plane
    sensor: Sensor = lambda plane, _rng: degradations.quantise(plane)
    sent_larger: tuple[float, tuple[int, int], tuple[int, int]] | None = None
    """For a messenger: the factor by which the sent picture was larger, both JPEG qualities, and the shift of the
    blocks."""


def picture(case: Case, symbol: Symbol, px_per_module: float, seed: list[int]) -> Image:
    """The LR crop `(h, w) uint8` of one case; noise and surroundings follow from `seed`."""
    place, shape = _placed(case, symbol, px_per_module)
    # At least ten scene pixels a module, so that blur and edges are accurate, and at least three per LR pixel, whose
    # mean prevents aliasing.
    scale = int(np.clip(ceil(10 / px_per_module), 3, 12))
    scene_shape = (shape[0] * scale, shape[1] * scale)
    enlarge = np.diag([scale, scale, 1.0])
    surroundings = draw_surroundings(case.kind, scene_shape, np.random.default_rng([*seed, 1]))
    scene = draw(
        symbol, case.look, replace(place, to_picture=enlarge @ place.to_picture), scene_shape, surroundings, 1
    )
    rng = np.random.default_rng([*seed, 2, round(1000 * px_per_module)])
    scene = case.optics(illuminate(scene, case.light), scale, rng)
    if case.sent_larger is None:
        return case.sensor(reduce(scene, shape), rng)
    factor, qualities, shift = case.sent_larger
    taken = reduce(scene, (round(shape[0] * factor), round(shape[1] * factor)))
    return degradations.messenger(taken, shape, qualities, shift)


def module_centres(case: Case, symbol: Symbol, px_per_module: float) -> Matrix:
    """Positions of the modules in `picture`: `(n, n, 2)` x, y in LR pixels; the centre of the first pixel is (0.5,
    0.5).

    By row and column of `symbol.modules`. Families that send a picture through a messenger also shift it.
    """
    place, _ = _placed(case, symbol, px_per_module)
    rows, columns = np.mgrid[0 : symbol.size, 0 : symbol.size] + 0.5
    on_label = unbent(np.column_stack([columns.ravel(), rows.ravel()]), symbol.size, place.half_angle)
    return project(place.to_picture, on_label).reshape(symbol.size, symbol.size, 2)


def _placed(case: Case, symbol: Symbol, px_per_module: float) -> tuple[Place, tuple[int, int]]:
    size, pose = symbol.size, case.pose
    corners = corners_of(size)
    bent = corners.copy()
    middle = bent.mean(axis=0)
    bent = bent + np.array(pose.jitter) * size - middle
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    turned = bent @ np.array([[cos, sin], [-sin, cos]])
    # Perspective changes the sides; their mean is the value on the axis of the sweep.
    mean = np.linalg.norm(turned - np.roll(turned, -1, axis=0), axis=1).mean()
    turned *= px_per_module * size / mean
    quiet: Matrix = corners_of(size, case.look.quiet)
    outline = project(homography(corners, turned), quiet)
    beyond = pose.surround * px_per_module
    low = np.floor(outline.min(axis=0) - beyond)
    extent = np.ceil(outline.max(axis=0) + beyond - low + 1).astype(int)
    placed = turned - low + np.array(pose.phase)
    return Place(homography(corners, placed), pose.half_angle), (int(extent[1]), int(extent[0]))
