"""Pixels: quiet zones and scales around a reader, regions of a symbol, symbols in one place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding.reading import Point

Quad = tuple[Point, Point, Point, Point]

QUIET_ZONE = 16
"""Pixels of quiet zone put around every image before it is read. Tight crops are not read without
(opencv_contrib#3104)."""


@dataclass(frozen=True, slots=True)
class Framed:
    """An image enlarged by a whole factor and surrounded by a margin, and the way back from its pixels."""

    image: NDArray[np.uint8]
    scale: int
    margin: int
    """Pixels of `image` on each side."""

    def back(self, points: Sequence[Point]) -> Quad:
        """Points of `image` in pixels of the original. Pixel centres are at whole numbers."""
        start = self.margin + (self.scale - 1) / 2
        a, b, c, d = (((x - start) / self.scale, (y - start) / self.scale) for x, y in points)
        return a, b, c, d


def frame(image: NDArray[np.uint8], margin: int, least_side: int = 0) -> Framed:
    """Surround `(h, w) uint8` with `margin` pixels of its border's light brightness.

    The margin stands for the quiet zone that a tight crop has lost. Where symbol modules touch the border,
    the dark ones do not count: the brightness is the upper quartile of the border. Sides below `least_side`
    are first enlarged by a whole factor.
    """
    scale = max(1, -(-least_side // min(image.shape)))
    if scale > 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    light = float(np.percentile(border, 75))
    framed = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(light,))
    return Framed(framed.astype(np.uint8), scale, margin)


def rectify(image: NDArray[np.uint8], points: Quad, side: int, quiet: float = 0.15) -> NDArray[np.uint8]:
    """The symbol with the given corners as a square of `side` pixels, with `quiet` of its width around it."""
    matrix = _to_square(points, side, quiet)
    warped = cv2.warpPerspective(
        image, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return warped.astype(np.uint8)


def unrectified(found: Quad, points: Quad, side: int, quiet: float = 0.15) -> Quad:
    """Points `found` on what `rectify` made with the same `points`, in pixels of its image."""
    back = np.linalg.inv(_to_square(points, side, quiet))
    a, b, c, d = cv2.perspectiveTransform(np.array([found], np.float64), back)[0].tolist()
    return (a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1])


def _to_square(points: Quad, side: int, quiet: float) -> NDArray[np.float64]:
    low, high = side * quiet / (1 + 2 * quiet), side * (1 + quiet) / (1 + 2 * quiet)
    target = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(np.array(points, np.float32), target), np.float64)


def sharpen(image: NDArray[np.uint8], width: float, strength: float) -> NDArray[np.uint8]:
    """`image + strength * (image - blurred)`, with a Gaussian of `width` pixels, within 0 to 255."""
    blurred = cv2.GaussianBlur(image, (0, 0), width)
    return cv2.addWeighted(image, 1 + strength, blurred, -strength, 0).astype(np.uint8)


def same_place(first: Quad, second: Quad) -> bool:
    """Whether two quadrilaterals are of one symbol: the centre of each lies inside the other."""
    return _inside(centre(first), second) and _inside(centre(second), first)


def clockwise(points: Quad) -> Quad:
    """The same corners from the same first one, clockwise as the picture is displayed (x right, y down)."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    turns = (cx - ax) * (dy - by) - (cy - ay) * (dx - bx)
    return points if turns >= 0 else (points[0], points[3], points[2], points[1])


def pixels_per_module(points: Quad, rows: int, columns: int) -> float:
    """Square root of a module's mean area in pixels.

    Args:
        points: corners of a symbol of `rows` x `columns` modules.
    """
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    area = abs((cx - ax) * (dy - by) - (cy - ay) * (dx - bx)) / 2
    return math.sqrt(area / (rows * columns))


def centre(points: Quad) -> Point:
    """Mean of the corners."""
    return sum(x for x, _ in points) / 4, sum(y for _, y in points) / 4


def _inside(point: Point, quad: Quad) -> bool:
    return cv2.pointPolygonTest(np.array(quad, np.float32), point, False) >= 0
