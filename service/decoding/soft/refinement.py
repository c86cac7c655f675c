"""Registration of a nearly right grid with the picture, to a few hundredths of a module.

The symbol is read as far as possible and drawn again from what was read. The displacement that carries the picture
onto the drawing is found by least squares (Lucas and Kanade's registration, 1981, with a new template in every step).
Function patterns are drawn as the standard defines them. Data modules are weighted by their sureness, so that a part
of the symbol which does not fit yet has little effect. Every edge between modules helps to place the grid. `Freedom`
says in which ways the grid may move.
"""

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.grid import TERMS, Grid
from service.decoding.soft.pictures import bilinear
from service.decoding.soft.symbol_layout import function_pattern, size

DoubleArray = NDArray[np.float64]
FloatArray = NDArray[np.float32]

PER_MODULE = 4
"""Samples per module and direction; the window of `softened` is made for it."""
_WINDOW = np.exp(-0.5 * ((np.arange(PER_MODULE) - 1.5) / PER_MODULE / 0.2) ** 2)
_WINDOW /= _WINDOW.sum()
"""Gaussian of standard deviation 0.2 module."""
_FUNCTION_WEIGHT = 2.0
_BLUR = 0.4
"""Standard deviation of the blur of the drawing, in modules."""
_LARGEST_STEP = 0.5
"""Most modules in one iteration."""
_TOLERANCE = 0.01
"""In modules; a smaller step ends the iteration."""
_LIKELY_BEND = {2: 0.02, 3: 0.008}
"""Prior standard deviation of the coefficients of each degree, as a share of the symbol's side."""


class Freedom(Enum):
    """The ways in which a grid may move, from few to many."""

    SIMILARITY = "turned, shifted and scaled"
    AFFINE = "and sheared"
    HOMOGRAPHY = "and seen in perspective"
    QUADRATIC = "a displacement of degree 2 in module coordinates"
    CUBIC = "of degree 3"

    @property
    def bends(self) -> bool:
        """Whether it is a displacement before the homography, not a change of the homography."""
        return self in (Freedom.QUADRATIC, Freedom.CUBIC)


@dataclass(frozen=True)
class Fit:
    """A grid and how well it fits."""

    grid: Grid
    sign: float
    """+1 for dark on light, -1 for light on dark."""
    agreement: float
    """Agreement of the function patterns, without the finders, with the picture, weighted by sureness: 1 if all agree,
    about 0 by chance."""
    sureness: float
    """Mean of abs(tanh(logit / 2)) at the centres of the data modules."""
    residual: float
    """Root mean square of the last step in modules."""

    @property
    def score(self) -> float:
        """One number for comparing fits of one symbol."""
        return self.agreement + self.sureness


def rectified(logits: FloatArray, grid: Grid) -> FloatArray:
    """`(4 n, 4 n)` logits of the rectified symbol; 0 outside of the picture."""
    return bilinear(logits, grid.lattice(PER_MODULE))


def softened(seen: FloatArray) -> FloatArray:
    """`(n, n)`: `(4 n, 4 n)` averaged per module with the Gaussian window."""
    n = len(seen) // PER_MODULE
    window = _WINDOW.astype(np.float32)
    columns = seen.reshape(-1, n, PER_MODULE) @ window
    result: FloatArray = np.einsum("iaj,a->ij", columns.reshape(n, PER_MODULE, n), window)
    return result


def refine(
    logits: FloatArray,
    grid: Grid,
    sign: float,
    freedom: Freedom = Freedom.HOMOGRAPHY,
    iterations: int = 4,
    near: bool = False,
) -> Fit:
    """The fit that starts from `grid` in `logits` `(H, W) float32`; `sign` as in `Fit`.

    What `freedom` does not move stays as in `grid`. With `near`, only known modules close to the finder patterns count:
    the finder patterns, the timing patterns and the version information.
    """
    residual = np.inf
    modules: FloatArray = np.zeros(0, np.float32)
    for iteration in range(iterations + 1):
        darkness = np.tanh(rectified(logits, grid) * np.float32(-0.5 * sign))
        modules = softened(darkness)
        if iteration == iterations or residual < _TOLERANCE:
            break
        grid, residual = _moved(grid, darkness, modules, freedom, near)
    return _judged(grid, sign, modules, residual, near)


def _judged(grid: Grid, sign: float, modules: FloatArray, residual: float, near: bool) -> Fit:
    expected, function = _expected(grid.version)
    if near:
        function = function & (_near(grid.version) > 0)
    agreement = float(np.sum(modules[function] * expected[function])) / float(
        np.sum(np.abs(modules[function])) + 1.0
    )
    return Fit(grid, sign, agreement, float(np.mean(np.abs(modules[expected == 0]))), residual)


def _moved(
    grid: Grid, darkness: FloatArray, modules: FloatArray, freedom: Freedom, near: bool
) -> tuple[Grid, float]:
    """One step: the new grid, and the root mean square of the step."""
    n = grid.modules
    expected, _ = _expected(grid.version)
    known = expected != 0
    drawn = np.where(known, expected, np.tanh(2 * modules))
    drawing = cv2.resize(drawn, darkness.shape, interpolation=cv2.INTER_NEAREST)
    drawing = cv2.GaussianBlur(drawing, (0, 0), _BLUR * PER_MODULE, borderType=cv2.BORDER_REPLICATE)
    gain = float(np.vdot(drawing, darkness)) / float(np.vdot(drawing, drawing) + 1e-6)
    gain = max(gain, 0.1)
    error = gain * drawing - darkness
    slope_x = cv2.Sobel(drawing, cv2.CV_32F, 1, 0, ksize=1, scale=0.5 * PER_MODULE * gain)
    slope_y = cv2.Sobel(drawing, cv2.CV_32F, 0, 1, ksize=1, scale=0.5 * PER_MODULE * gain)
    weight = _near(grid.version) if near else np.where(known, np.float32(_FUNCTION_WEIGHT), np.float32(1.0))

    def per_module(product: FloatArray) -> DoubleArray:
        mean = cv2.resize(product, (n, n), interpolation=cv2.INTER_AREA)
        return (mean * weight).astype(np.float64).ravel()

    stiff_xx, stiff_xy, stiff_yy = (
        per_module(part) for part in (slope_x * slope_x, slope_x * slope_y, slope_y * slope_y)
    )
    pull_x, pull_y = per_module(slope_x * error), per_module(slope_y * error)
    basis, subspace, likely = _basis(n, freedom)
    cross = basis.T @ (stiff_xy[:, None] * basis)
    normal = np.block(
        [
            [basis.T @ (stiff_xx[:, None] * basis), cross],
            [cross, basis.T @ (stiff_yy[:, None] * basis)],
        ]
    )
    pull = np.concatenate([basis.T @ pull_x, basis.T @ pull_y])
    # Neighbouring samples share noise: a module counts as about one observation in each direction.
    noise = float(np.mean(per_module(error * error)) / np.mean(weight))
    normal = subspace.T @ normal @ subspace
    normal[np.diag_indices_from(normal)] += noise / likely**2 + 1e-6
    pull = subspace.T @ pull
    current = np.zeros(len(pull))
    if freedom.bends and grid.bend is not None:
        current = _coefficients(grid.bend, freedom)
        pull -= noise / likely**2 * current
    step = subspace @ np.linalg.solve(normal, pull)
    moves = basis @ step.reshape(2, -1).T
    largest = float(np.abs(moves).max())
    if largest > _LARGEST_STEP:
        step *= _LARGEST_STEP / largest
    residual = float(np.sqrt(np.mean(moves * moves) * 2))
    return (_bent(grid, step, freedom) if freedom.bends else _shifted(grid, step)), residual


def _shifted(grid: Grid, step: DoubleArray) -> Grid:
    """The homography after a displacement with coefficients of 1, s, t, s², st, t² for x, then for y."""
    n = grid.modules
    (x, xs, xt, p, q, _), (y, ys, yt, *_) = step.reshape(2, 6) * 2 / n
    change = np.array([[1 + xs, xt, x], [ys, 1 + yt, y], [-p, -q, 1.0]])
    scaling = np.array([[2 / n, 0, -1.0], [0, 2 / n, -1.0], [0, 0, 1.0]])
    return grid.with_homography(grid.homography @ np.linalg.inv(scaling) @ change @ scaling)


def _bent(grid: Grid, step: DoubleArray, freedom: Freedom) -> Grid:
    bend = np.zeros((2, TERMS, TERMS)) if grid.bend is None else grid.bend.copy()
    for (i, j), x, y in zip(_monomials(freedom), *step.reshape(2, -1), strict=True):
        bend[:, i, j] += x, y
    return replace(grid, bend=bend)


def _coefficients(bend: DoubleArray, freedom: Freedom) -> DoubleArray:
    index = np.array(_monomials(freedom))
    return bend[:, index[:, 0], index[:, 1]].ravel()


def _monomials(freedom: Freedom) -> list[tuple[int, int]]:
    """Powers of s and t, by degree; degree 2 is in the order that `_shifted` expects."""
    degree = 3 if freedom is Freedom.CUBIC else 2
    return [(total - j, j) for total in range(degree + 1) for j in range(total + 1)]


_MOVES: dict[Freedom, list[dict[int, float]]] = {
    Freedom.SIMILARITY: [{0: 1}, {6: 1}, {1: 1, 8: 1}, {2: -1, 7: 1}],
    Freedom.AFFINE: [{0: 1}, {1: 1}, {2: 1}, {6: 1}, {7: 1}, {8: 1}],
    # To first order: affine, and (s (p s + q t), t (p s + q t)).
    Freedom.HOMOGRAPHY: [{0: 1}, {1: 1}, {2: 1}, {6: 1}, {7: 1}, {8: 1}, {3: 1, 10: 1}, {4: 1, 11: 1}],
}
"""Displacements of each freedom, as coefficients of 1, s, t, s², st, t² for x, then for y."""


@lru_cache(maxsize=32)
def _basis(n: int, freedom: Freedom) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Monomials at the module centres `(n n, m)`, the subspace of movements `(2 m, p)`, their prior size `(p,)`."""
    axis = 2 * (np.arange(n) + 0.5) / n - 1
    s, t = (part.ravel() for part in np.meshgrid(axis, axis))
    powers = _monomials(freedom)
    basis = np.stack([s**i * t**j for i, j in powers], axis=1)
    if freedom.bends:
        likely = np.array([_LIKELY_BEND.get(i + j, 1.0) * n for i, j in powers] * 2)
        return basis, np.eye(2 * len(powers)), likely
    moves = _MOVES[freedom]
    subspace = np.zeros((12, len(moves)))
    for k, coefficients in enumerate(moves):
        subspace[list(coefficients), k] = list(coefficients.values())
    return basis, subspace, np.full(len(moves), 10.0)


@lru_cache(maxsize=40)
def _expected(version: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """`(n, n)` +1 dark, -1 light, 0 data; and the function modules that count: all except finders and separators."""
    n = size(version)
    known, dark = function_pattern(version)
    expected = np.where(known, np.where(dark, 1, -1), 0).astype(np.float32)
    rows, columns = np.indices((n, n))
    finders = (rows < 8) & (columns < 8) | (rows < 8) & (columns >= n - 8) | (rows >= n - 8) & (columns < 8)
    return expected, known & ~finders


@lru_cache(maxsize=40)
def _near(version: int) -> FloatArray:
    """`(n, n)` 1 for finders, separators, timing patterns and version information, else 0."""
    n = size(version)
    known, _ = function_pattern(version)
    rows, columns = np.indices((n, n))
    return (known & ((rows < 7) | (columns < 7) | (rows + columns <= n))).astype(np.float32)
