"""The position of a symbol in the picture: homographies between pixels and modules.

Pixel coordinates put the centre of the first pixel at (0.5, 0.5); module coordinates run from 0 to `size`
across the symbol, so that the centre of the first module is (0.5, 0.5) too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.config import SceneConfig

Homographies = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """Geometry of a batch of N symbols in HR pixels.

    `pixel_to_module` is `(N, 3, 3) float64`. Bending comes after it: with (u, v) the homography's result
    and c = size / 2, the module coordinates are u + bend_u (v - c)² / size and v + bend_v (u - c)² / size.
    """

    pixel_to_module: Homographies
    bend: NDArray[np.float64]
    """`(N, 2)`, as (bend_u, bend_v)."""
    px_per_module: NDArray[np.float64]
    """`(N,)` LR pixels per module, along a side, before perspective."""

    def modules_at(self, index: int, points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """Module coordinates `(K, 2)` of HR pixel coordinates `(K, 2)` for one symbol of the batch."""
        homogeneous = np.column_stack([points, np.ones(len(points))]) @ self.pixel_to_module[index].T
        u, v = (homogeneous[:, :2] / homogeneous[:, 2:]).T
        bend_u, bend_v = self.bend[index]
        centre = size / 2
        return np.column_stack([u + bend_u * (v - centre) ** 2 / size, v + bend_v * (u - centre) ** 2 / size])

    def pixels_at(self, index: int, modules: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """HR pixel coordinates `(K, 2)` of module coordinates `(K, 2)`: the inverse of `modules_at`."""
        bend_u, bend_v = self.bend[index]
        centre = size / 2
        u, v = modules.T.copy()
        # The bend is small compared with the symbol, so the fixed-point iteration converges quickly.
        for _ in range(30):
            u, v = (
                modules[:, 0] - bend_u * (v - centre) ** 2 / size,
                modules[:, 1] - bend_v * (u - centre) ** 2 / size,
            )
        homogeneous = (
            np.column_stack([u, v, np.ones(len(modules))]) @ np.linalg.inv(self.pixel_to_module[index]).T
        )
        return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], np.float64)


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The `(3, 3)` homography that takes four points `(4, 2)` to four others (Hartley & Zisserman, 4.1)."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solution = np.linalg.solve(np.array(rows), target.reshape(8))
    return np.append(solution, 1.0).reshape(3, 3)


def place(
    config: SceneConfig,
    sizes: NDArray[np.int64],
    px_per_module: NDArray[np.float64],
    hr_size: int,
    rng: np.random.Generator,
) -> Placement:
    """Draw positions for N symbols of `sizes` modules in pictures of `hr_size` pixels.

    A symbol that fits is anywhere inside, and sometimes cut by the border. A symbol that does not fit shows a random
    part.
    """
    count = len(sizes)
    maps = np.empty((count, 3, 3))
    bend = np.zeros((count, 2))
    for i, (size, ppm) in enumerate(zip(sizes, px_per_module, strict=True)):
        side = size * ppm * 4
        corners = (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - 0.5) * side
        if rng.random() < config.perspective:
            corners += rng.uniform(-0.06, 0.06, (4, 2)) * side
            corners *= 1 + rng.uniform(-0.08, 0.08, 2)
        angle = _angle(config, rng)
        if rng.random() < 0.5 and angle != 0:
            angle = -angle
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = corners @ turn.T
        corners += hr_size / 2 + _offset(side, hr_size, rng)
        maps[i] = homography(corners, np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float64))
        if rng.random() < config.curved:
            bend[i, rng.integers(2)] = rng.uniform(-0.25, 0.25)
    return Placement(maps, bend, px_per_module.copy())


def _angle(config: SceneConfig, rng: np.random.Generator) -> float:
    if rng.random() < config.upright:
        return float(rng.choice([0.0, rng.normal(0, 0.02)]))
    return float(rng.uniform(0, 2 * np.pi))


def _offset(side: float, hr_size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    slack = abs(hr_size - side) / 2
    # A little more than fits, because crops also cut off quiet zones and edges of symbols.
    return rng.uniform(-1, 1, 2) * (slack + 0.06 * min(side, hr_size))
