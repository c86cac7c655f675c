"""From three finder patterns to grids: the version, and the position of the fourth corner.

The frames of the finder patterns give a homography for any assumed version. Timing patterns and version information
decide the version. Alignment patterns and the sureness at module centres decide where the corner without a finder
pattern is.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.constellation import Constellation
from service.decoding.soft.grid import TERMS, Grid
from service.decoding.soft.homography import estimate, project, with_moved_corner
from service.decoding.soft.pictures import bilinear
from service.decoding.soft.symbol_layout import function_pattern, size

DoubleArray = NDArray[np.float64]
FloatArray = NDArray[np.float32]

_BOWS = np.array([-0.9, -0.45, 0.0, 0.45, 0.9])
"""Sideways bows of the timing patterns that are tried, in modules."""
_MOST_PROBES = 500
_STIFFNESS = 0.003
"""Of the perspective of the first homography; see `homography.estimate`."""
_FRAME_NOISE = 0.12
"""Standard deviation in modules of the points that a finder pattern's frame gives."""
_CORNER_NOISE, _CORNER_WEIGHT = 0.02, 0.01
"""Prior of the fourth corner, as expected by three finder patterns: its standard deviation as a share of the side, and
the cost of one standard deviation in units of mean agreement."""
_LIKELY_BEND = 0.01
"""Prior standard deviation of the coefficients of degree 2, as a share of the symbol's side."""


@dataclass(frozen=True)
class Hypothesis:
    """A grid to be fitted."""

    grid: Grid
    sign: float
    """+1 for dark on light, -1 for light on dark."""
    score: float
    """How well the version fits; about standard normal for a wrong version."""
    finders: DoubleArray
    """`(k, 2)` x, y in pixels of the centres of the finder patterns that it uses."""


def version_hypotheses(darkness: FloatArray, constellation: Constellation, most: int = 2) -> list[Hypothesis]:
    """The versions whose timing patterns and version information agree best with the picture, best first."""
    grids = _from_finders(constellation, _likely_versions(constellation))
    return _best_versions(darkness, constellation, grids, most)


def affine_hypotheses(darkness: FloatArray, constellation: Constellation, most: int = 2) -> list[Hypothesis]:
    """As `version_hypotheses`, from the centres of three patterns alone. They are enough for a flat symbol without
    perspective. The frames of the patterns are much less certain and are not used."""
    corner, along_x, along_y = constellation.centres
    sides = np.column_stack([along_x - corner, along_y - corner])
    grids = []
    for version in _likely_versions(constellation):
        axes = sides / (size(version) - 7)
        affine = np.column_stack([axes, corner - axes @ [3.5, 3.5]])
        grids.append(Grid.flat(version, affine))
    return _best_versions(darkness, constellation, grids, most)


def _likely_versions(constellation: Constellation) -> range:
    expected = (constellation.span - 10) / 4
    reach = 1 + 0.13 * expected
    return range(max(1, int(np.ceil(expected - reach))), min(40, int(expected + reach)) + 1)


def _best_versions(
    darkness: FloatArray, constellation: Constellation, grids: list[Grid], most: int
) -> list[Hypothesis]:
    sign, seen = constellation.sign, constellation.centres[constellation.seen]
    scored = [
        Hypothesis(grid, sign, _version_score(darkness, grid, sign), seen)
        for grid in grids
        if grid.is_sound(darkness.shape)
    ]
    return sorted(scored, key=lambda item: -item.score)[:most]


def with_best_corner(darkness: FloatArray, grid: Grid, sign: float) -> Grid:
    """The grid with the corner opposite the shared finder moved to the best fit; `sign` as in `Hypothesis`."""
    points, expected, weight = _probes(grid.version)
    reach = min(0.6 + 0.05 * grid.modules, 5.0)
    steps = np.linspace(-reach, reach, 2 * int(np.ceil(reach / 0.5)) + 1)
    moves = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    candidates = with_moved_corner(grid.homography, grid.modules, moves)
    at = project(candidates.astype(np.float32), grid.displaced(points).astype(np.float32))
    seen = bilinear(darkness, at) * np.float32(sign)
    agreement = np.where(expected == 0, np.abs(seen), expected * seen) @ weight
    # The expectation of the finder patterns counts too, and more so where the modules say little.
    away = np.linalg.norm(moves, axis=1)
    agreement -= 0.02 * away / reach + _CORNER_WEIGHT * (away / (_CORNER_NOISE * grid.modules)) ** 2
    best = int(np.argmax(agreement))
    return grid.with_homography(candidates[best])


def _from_finders(constellation: Constellation, versions: range) -> list[Grid]:
    """Grids for each assumed version: a stiff homography, then bent to fit the frames of the finder patterns too."""
    if not versions:
        return []
    around = np.array([[0.0, 0.0], [-3.5, -3.5], [3.5, -3.5], [3.5, 3.5], [-3.5, 3.5]])
    members = np.flatnonzero(constellation.seen)
    target = np.concatenate([constellation.centres[i] + around @ constellation.axes[i].T for i in members])
    weight = np.tile([1.0, 0.25, 0.25, 0.25, 0.25], len(members))
    source = []
    for version in versions:
        far = size(version) - 3.5
        places = np.array([[3.5, 3.5], [far, 3.5], [3.5, far]])
        source.append(np.concatenate([places[i] + around for i in members]))
    homographies = estimate(np.array(source), target, weight, stiffness=_STIFFNESS)
    if len(members) < 3:
        return [Grid(version, homography) for version, homography in zip(versions, homographies, strict=True)]
    return [
        Grid(version, homography, _bend(size(version), homography, points, target))
        for version, homography, points in zip(versions, homographies, source, strict=True)
    ]


def _bend(n: int, homography: DoubleArray, points: DoubleArray, target: DoubleArray) -> DoubleArray:
    """`(2, d, d)` displacement of degree 2 from `points` towards `target`, limited by its prior."""
    s, t = (2 * points / n - 1).T
    powers = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    basis = np.stack([s**i * t**j for i, j in powers], axis=1)
    wanted = project(np.asarray(np.linalg.inv(homography)), target) - points
    stiff = np.diag([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]) * (
        _FRAME_NOISE / (_LIKELY_BEND * n)
    ) ** 2 + 1e-9 * np.eye(6)
    solution = np.linalg.solve(basis.T @ basis + stiff, basis.T @ wanted)
    bend = np.zeros((2, TERMS, TERMS))
    for (i, j), part in zip(powers, solution, strict=True):
        bend[:, i, j] = part
    return bend


def _version_score(darkness: FloatArray, grid: Grid, polarity: float) -> float:
    """Agreement of both timing patterns and of the version information, normalised so that chance has unit variance;
    `polarity` is +1 for dark on light."""
    lines, sign = _timing_patterns(grid.version)
    seen = polarity * _sampled(darkness, grid, lines)
    # Subtract a running mean, because a line wholly in the dark says nothing.
    best = (seen @ sign - np.abs(seen.sum(axis=2)) / len(sign)).max(axis=1)
    total, energy = float(best.sum()), 2.0 * float(np.mean(seen * seen)) * len(sign)
    places, expected = _version_information(grid.version)
    if len(places):
        seen = polarity * _sampled(darkness, grid, places)
        total += float(seen @ expected)
        energy += float(seen @ seen)
    return total / float(np.sqrt(energy + 1.0))


def _sampled(picture: FloatArray, grid: Grid, points: DoubleArray) -> DoubleArray:
    """`(...)` values of the picture at module coordinates `(..., 2)`, 0 outside."""
    return bilinear(picture, grid.at(points)).astype(np.float64)


@lru_cache(maxsize=40)
def _timing_patterns(version: int) -> tuple[DoubleArray, DoubleArray]:
    """`(2, bows, k, 2)` module coordinates of both timing patterns under each bow, and their `(k,)` signs."""
    along = np.arange(8, size(version) - 8)
    t = (along - along[0]) / max(len(along) - 1, 1)
    bow = _BOWS[:, None] * 4 * t * (1 - t)
    straight = np.broadcast_to(along + 0.5, bow.shape)
    lines = np.stack([np.stack([straight, 6.5 + bow], axis=-1), np.stack([6.5 + bow, straight], axis=-1)])
    return lines, np.where(along % 2 == 0, 1.0, -1.0)


@lru_cache(maxsize=40)
def _version_information(version: int) -> tuple[DoubleArray, DoubleArray]:
    """`(k, 2)` module coordinates and `(k,)` signs of the version information; none below version 7."""
    n = size(version)
    _, dark = function_pattern(version)
    if version < 7:
        return np.zeros((0, 2)), np.zeros(0)
    rows, columns = (part.ravel() for part in np.mgrid[0:6, n - 11 : n - 8])
    y, x = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    return np.column_stack([x, y]) + 0.5, np.where(dark[y, x], 1.0, -1.0)


@lru_cache(maxsize=40)
def _probes(version: int) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Module coordinates `(p, 2)`, expected sign `(p,)` (0: data, either) and weight `(p,)` adding up to
    1."""
    n = size(version)
    known, dark = function_pattern(version)
    rows, columns = np.indices((n, n))
    # Finder patterns and their surroundings are fixed already.
    near = (rows < 9) & (columns < 9) | (rows < 9) & (columns >= n - 8) | (rows >= n - 8) & (columns < 9)
    alignment = known & ~near
    data = ~known & ~near & (rows + columns > n)
    picks = np.flatnonzero(data)
    picks = picks[
        np.random.default_rng(version).permutation(len(picks))[: max(_MOST_PROBES - alignment.sum(), 200)]
    ]
    chosen = np.concatenate([np.flatnonzero(alignment), picks])
    expected = np.where(known, np.where(dark, 1.0, -1.0), 0.0).ravel()[chosen]
    weight = np.where(expected == 0, 1.0, 2.0)
    weight /= weight.sum()
    return np.column_stack([chosen % n, chosen // n]) + 0.5, expected, weight
