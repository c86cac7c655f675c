"""Symbols put into a picture as they were printed, each in its own place and perspective."""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model_store.contract import Image
from service.decoding.drawing import unpacked
from service.decoding.reading import Modules, Reading

_FINE = 4
"""Times as fine as the picture that a symbol is drawn, so that its edges come out smooth."""
_MODULE = 8
"""Pixels of a module of the drawing that is put into perspective."""


def restored(picture: Image, readings: Iterable[Reading], scale: int) -> tuple[Image, int]:
    """A copy of the picture with the symbols drawn into it, and how many those are.

    A symbol has the colours that the picture has there: the medians of its dark and of its light modules. Nothing
    outside its corners is changed.

    Args:
        picture: `(h, w)` or `(h, w, 3)`.
        readings: with points in pixels of an image that the picture is `scale` times as large as.
    """
    made = picture.copy()
    count = 0
    for reading in readings:
        symbol = reading.symbol
        if symbol is None or symbol.modules is None:
            continue
        points = np.array(reading.points, np.float64) * scale + (scale - 1) / 2
        _draw(made, points, symbol.modules, mirrored=symbol.mirrored)
        count += 1
    return made, count


def _draw(picture: Image, points: NDArray[np.float64], modules: Modules, *, mirrored: bool) -> None:
    dark = unpacked(modules, modules.dark)
    # The corners go round clockwise as displayed, which is down the symbol's own left side where it is mirrored.
    shown = dark.T if mirrored else dark
    left, top = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, picture.shape[1::-1])
    if right <= left or bottom <= top:
        return
    part = picture[top:bottom, left:right]
    rows, columns = shown.shape
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) * _MODULE
    # Pixel centres are at whole numbers, and those of the finer picture lie closer.
    fine = ((points - (left, top) + 0.5) * _FINE - 0.5).astype(np.float32)
    to_fine = cv2.getPerspectiveTransform(corners - 0.5, fine)
    size = ((right - left) * _FINE, (bottom - top) * _FINE)
    drawn: NDArray[np.float32] = np.kron(shown, np.ones((_MODULE, _MODULE))).astype(np.float32)
    darkness = _placed(drawn, to_fine, size, part.shape)
    covered = _placed(np.ones_like(drawn), to_fine, size, part.shape)
    dark_colour = _median(part, darkness > 0.9)
    light_colour = _median(part, (covered > 0.99) & (darkness < 0.1))
    share = np.divide(darkness, covered, out=np.zeros_like(darkness), where=covered > 0)
    if part.ndim == 3:
        share, covered = share[..., None], covered[..., None]
    colour = share * dark_colour + (1 - share) * light_colour
    part[...] = np.rint(covered * colour + (1 - covered) * part).astype(np.uint8)


def _placed(
    drawn: NDArray[np.float32], to_fine: Any, size: tuple[int, int], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """A drawing put into perspective, and averaged to pixels of the picture."""
    fine = cv2.warpPerspective(drawn, to_fine, size, flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(fine, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _median(part: Image, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The median colour of some pixels; of none, the middle of all."""
    chosen = part[where] if where.any() else part.reshape(-1, *part.shape[2:])
    return np.asarray(np.median(chosen, axis=0), np.float64)
