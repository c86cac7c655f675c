"""Interpolation of a picture between its pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
_BOTH_IN_ONE = np.zeros(0, np.float32)
"""Replaces the second map of `remap`: x and y are the channels of the first."""


def bilinear(picture: FloatArray, at: NDArray[np.float32] | NDArray[np.float64]) -> FloatArray:
    """`(...)` values of `picture` `(H, W) float32` at pixels `(..., 2)` x, y; 0 outside.

    The centre of the first pixel is (0, 0).
    """
    # OpenCV accepts at most 32767 rows or columns of positions.
    flat = np.ascontiguousarray(at, dtype=np.float32).reshape(-1, at.shape[-2], 2)
    seen = cv2.remap(
        picture,
        flat,
        _BOTH_IN_ONE,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(seen, dtype=np.float32).reshape(at.shape[:-1])
