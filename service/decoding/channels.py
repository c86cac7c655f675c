"""Which plane of a colour picture shows a symbol best: nearly always its luma, unless the colours share one."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_FLAT = 3.0
"""Times as much contrast as in the luma with which a channel is looked at in its place."""
_TELLING = 1.3
"""Times as much contrast with which a channel is looked at as well."""


def legible(image: Plane) -> Plane:
    """`(h, w)` of `(h, w, 3)` RGB or `(h, w)`: the luma, or a single channel where the luma has hardly any contrast."""
    if image.ndim == 2:
        return image
    luma, channels = _planes(image)
    contrast = _contrast(luma)
    best = max(channels, key=_contrast)
    return best if _contrast(best) > _FLAT * contrast else luma


def telling(image: Plane) -> list[Plane]:
    """The channels of RGB that show considerably more contrast than the luma, the most first; none of grey."""
    if image.ndim == 2:
        return []
    luma, channels = _planes(image)
    least = _TELLING * _contrast(luma)
    return sorted((one for one in channels if _contrast(one) > least), key=_contrast, reverse=True)


def _planes(image: Plane) -> tuple[Plane, list[Plane]]:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return luma, [np.ascontiguousarray(image[..., channel]) for channel in range(3)]


def _contrast(plane: Plane) -> float:
    """Standard deviation, and a bit, so that a plane without any is not infinitely worse than another."""
    return float(cv2.meanStdDev(plane)[1][0, 0]) + 1.0
