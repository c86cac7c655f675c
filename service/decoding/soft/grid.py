"""The grid of a symbol: the position of every module in the picture."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.homography import Real, project
from service.decoding.soft.symbol_layout import size

DoubleArray = NDArray[np.float64]
FloatArray = NDArray[np.float32]
Point = tuple[float, float]

TERMS = 4
"""Powers of each coordinate in a displacement: degree 3 at most."""
_NEXT = np.array([1, 2, 3, 0])
"""The corner that follows each of four."""


@dataclass(frozen=True)
class Grid:
    """A homography after a small polynomial displacement in module coordinates."""

    version: int
    homography: DoubleArray
    """`(3, 3)` from module coordinates to pixels (see `homography`)."""
    bend: DoubleArray | None = None
    """`(2, TERMS, TERMS)` coefficients c of the displacement in modules, sum over i, j of c[:, i, j] s**i
    t**j with s and t the module coordinates x and y scaled to -1..1; None for a flat symbol."""

    @classmethod
    def flat(cls, version: int, affine: DoubleArray) -> Self:
        """Without perspective or bend; `affine` `(2, 3)` takes module coordinates to pixels."""
        return cls(version, np.vstack([affine, [0.0, 0.0, 1.0]]))

    @property
    def modules(self) -> int:
        """Side of the symbol in modules."""
        return size(self.version)

    def at(self, points: DoubleArray) -> DoubleArray:
        """`(..., 2)` pixels of `points` `(..., 2)` in module coordinates."""
        return project(self.homography, self.displaced(points))

    def displaced(self, points: DoubleArray) -> DoubleArray:
        """`(..., 2)`: `points` `(..., 2)` plus their displacement, to which the homography is applied."""
        if self.bend is None:
            return points
        bend = _trimmed(self.bend)
        terms = bend.shape[1]
        powers = _powers(2 * points / self.modules - 1, terms)
        along = powers[..., 0, :] @ bend.transpose(1, 0, 2).reshape(terms, 2 * terms)
        along = along.reshape(*points.shape[:-1], 2, terms)
        return np.asarray(points + (along * powers[..., 1, None, :]).sum(axis=-1), dtype=np.float64)

    def lattice(self, per_module: int) -> FloatArray:
        """`(k n, k n, 2) float32` pixels of the centres of k × k parts of every module, k = `per_module`."""
        n = np.float32(self.modules)
        axis = ((np.arange(per_module * self.modules) + 0.5) / per_module).astype(np.float32)
        result = np.empty((len(axis), len(axis), 2), np.float32)
        if self.bend is None:
            x, y = axis[None, :], axis[:, None]
            a, b, c = self.homography.astype(np.float32)
            down = 1 / (c[0] * x + c[1] * y + c[2])
            np.multiply(a[0] * x + a[1] * y + a[2], down, out=result[..., 0])
            np.multiply(b[0] * x + b[1] * y + b[2], down, out=result[..., 1])
            return result
        # Numerators and denominator are polynomials in s and t too, which saves passes over the lattice.
        bend = _trimmed(self.bend)
        places = np.zeros((3, *bend.shape[1:]))
        places[:2] = bend
        places[:2, 0, 0] += self.modules / 2
        places[0, 1, 0] += self.modules / 2
        places[1, 0, 1] += self.modules / 2
        places[2, 0, 0] = 1
        coefficients = np.einsum("ij,jkl->ilk", self.homography, places).astype(np.float32)
        powers = _powers(2 * axis / n - 1, bend.shape[1])
        a, b, c = (powers @ part @ powers.T for part in coefficients)
        down = 1 / c
        np.multiply(a, down, out=result[..., 0])
        np.multiply(b, down, out=result[..., 1])
        return result

    def centres(self) -> DoubleArray:
        """`(n, n, 2)` pixels of the module centres."""
        return self.lattice(1).astype(np.float64)

    def corners(self, transposed: bool = False) -> tuple[Point, Point, Point, Point]:
        """The corners of the symbol in pixels: the top left one of the symbol first, then along x and around.

        `transposed`: the symbol is mirrored, so the order from its top left is reversed.
        """
        n = float(self.modules)
        order = (
            [(0.0, 0.0), (0.0, n), (n, n), (n, 0.0)]
            if transposed
            else [(0.0, 0.0), (n, 0.0), (n, n), (0.0, n)]
        )
        first, second, third, fourth = ((float(x), float(y)) for x, y in self.at(np.array(order)))
        return first, second, third, fourth

    def module_width(self) -> float:
        """Square root of a module's area in pixels at the centre of the symbol."""
        middle = self.modules / 2
        near = self.at(np.array([[middle, middle], [middle + 1, middle], [middle, middle + 1]]))
        return float(np.sqrt(abs(np.linalg.det(near[1:] - near[:1]))))

    def is_sound(self, shape: tuple[int, ...]) -> bool:
        """Whether the corners are in front of the camera, form a convex quadrilateral, and are not far outside of the
        picture."""
        n = float(self.modules)
        square = np.array([[0.0, 0.0], [n, 0.0], [n, n], [0.0, n]])
        if np.any(square @ self.homography[2, :2] + self.homography[2, 2] <= 0):
            return False
        corners = self.at(square)
        sides = corners[_NEXT] - corners
        turned = sides[_NEXT]
        turns = sides[:, 0] * turned[:, 1] - sides[:, 1] * turned[:, 0]
        reach = 0.15 * max(shape)
        inside = np.all(corners > -reach) and np.all(corners < np.array([shape[1], shape[0]]) + reach)
        return bool((np.all(turns > 0) or np.all(turns < 0)) and inside)

    def affine(self) -> "Grid":
        """The grid without perspective and bend that is nearest to this one at the corners and the centre."""
        places = self._corners_and_centre()
        known = np.column_stack([places, np.ones(len(places))])
        solution, *_ = np.linalg.lstsq(known, self.at(places), rcond=None)
        return Grid.flat(self.version, np.asarray(solution.T, np.float64))

    def similar(self) -> "Grid":
        """The grid of squares that is nearest to this one at the corners and the centre."""
        places = self._corners_and_centre()
        there = self.at(places)
        middle, middle_there = places.mean(axis=0), there.mean(axis=0)
        # A similarity multiplies complex numbers. It never mirrors: the grid of a mirrored symbol is transposed.
        before, after = (places - middle) @ [1, 1j], (there - middle_there) @ [1, 1j]
        factor = np.vdot(before, after) / np.vdot(before, before)
        axes = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
        affine = np.column_stack([axes, middle_there - axes @ middle])
        return Grid.flat(self.version, affine)

    def _corners_and_centre(self) -> DoubleArray:
        n = float(self.modules)
        return np.array([[0.0, 0.0], [n, 0.0], [n, n], [0.0, n], [n / 2, n / 2]])

    def with_homography(self, homography: DoubleArray) -> "Grid":
        """The same grid with another homography."""
        return replace(self, homography=homography / homography[2, 2])


def _trimmed(bend: DoubleArray) -> DoubleArray:
    """The coefficients `(2, k, k)` of the displacement without unused powers; k is at least 2."""
    terms = int(np.max(np.nonzero(bend)[1:], initial=1)) + 1
    return bend[:, :terms, :terms]


def _powers(values: NDArray[Real], terms: int) -> NDArray[Real]:
    """`(..., terms)` powers of `values` `(...)`, starting with the 0th."""
    powers = np.ones((*values.shape, terms), values.dtype)
    for power in range(1, terms):
        np.multiply(powers[..., power - 1], values, out=powers[..., power])
    return powers
