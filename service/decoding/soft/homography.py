"""Homographies from module coordinates to pixels: mapping and estimation.

Module coordinates have their origin at the outer corner of the symbol's top left module, x to the right, y
down; the centre of module (row, column) is (column + 0.5, row + 0.5). In pixel coordinates the centre of the
first pixel is (0, 0).
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

DoubleArray = NDArray[np.float64]
Real = TypeVar("Real", np.float32, np.float64)


def project(homographies: NDArray[Real], points: NDArray[Real]) -> NDArray[Real]:
    """`(..., p, 2)` images of `points` `(..., p, 2)` under `(..., 3, 3)`; leading dimensions broadcast."""
    linear = points @ np.swapaxes(homographies[..., :, :2], -1, -2) + homographies[..., None, :, 2]
    mapped: NDArray[Real] = linear[..., :2] / linear[..., 2:]
    return mapped


def estimate(source: DoubleArray, target: DoubleArray, weight: DoubleArray, stiffness: float) -> DoubleArray:
    """`(b, 3, 3)` homographies from `source` `(b, p, 2)` to `target` `(p, 2)`, by least squares of the linear form.

    `weight` `(p,)` weights the points. `stiffness` pulls the two perspective parameters towards 0, an affine map, as
    strongly as that many points of weight 1 at the edge of the region. It is needed if the points do not surround the
    region, as with three finder patterns.
    """
    middle = source.mean(axis=1, keepdims=True)
    reach = np.abs(source - middle).max(axis=(1, 2))[:, None, None]
    u, v = np.moveaxis((source - middle) / reach, -1, 0)
    centre = target.mean(axis=0)
    extent = np.abs(target - centre).max()
    x, y = ((target - centre) / extent).T
    one, nil = np.ones_like(u), np.zeros_like(u)
    rows_x = np.stack([u, v, one, nil, nil, nil, -x * u, -x * v], axis=-1)
    rows_y = np.stack([nil, nil, nil, u, v, one, -y * u, -y * v], axis=-1)
    design = np.concatenate([rows_x, rows_y], axis=1)
    goal = np.concatenate([x, y])
    weighted = np.swapaxes(design, 1, 2) * np.concatenate([weight, weight])
    normal = weighted @ design + np.diag([1e-9] * 6 + [stiffness] * 2)
    solution = np.linalg.solve(normal, (weighted @ goal)[..., None])[..., 0]
    normalised = np.concatenate([solution, np.ones_like(solution[:, :1])], axis=1).reshape(-1, 3, 3)
    to_pixels = np.array([[extent, 0, centre[0]], [0, extent, centre[1]], [0, 0, 1.0]])
    from_modules = np.zeros((len(source), 3, 3))
    from_modules[:, 0, 0] = from_modules[:, 1, 1] = 1 / reach[:, 0, 0]
    from_modules[:, :2, 2] = -middle[:, 0] / reach[:, :, 0]
    from_modules[:, 2, 2] = 1
    result: DoubleArray = to_pixels @ normalised @ from_modules
    return result / result[:, 2:, 2:]


def with_moved_corner(homography: DoubleArray, n: int, moves: DoubleArray) -> DoubleArray:
    """`(b, 3, 3)`: `homography` changed so that it maps the corner (n, n) to where it mapped (n, n) + `moves` `(b, 2)`.

    The other three corners stay.
    """
    # A projective map of the square that keeps (0, 0), (n, 0) and (0, n) and takes (n, n) to (n + a, n + b):
    # x (1 + p) / (1 + (p x + q y) / n), likewise y with q.
    a, b = moves[:, 0] / n, moves[:, 1] / n
    # At (n, n): (1 + p) / (1 + p + q) = 1 + a and (1 + q) / (1 + p + q) = 1 + b.
    total = 1 / (1 + a + b)
    p, q = (1 + a) * total - 1, (1 + b) * total - 1
    change = np.zeros((len(moves), 3, 3))
    change[:, 0, 0], change[:, 1, 1], change[:, 2, 2] = 1 + p, 1 + q, 1
    change[:, 2, 0], change[:, 2, 1] = p / n, q / n
    result: DoubleArray = homography @ change
    return result
