"""Half precision, in which logits are kept and sent. OpenCV converts twenty times as fast as NumPy, to equal bits."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def to_half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    """`(h, w) float32` as float16, rounded to nearest; what is too large becomes infinite."""
    # 16-bit integers in one version of OpenCV, float16 in another; the bits are the same.
    return cv2.convertFp16(np.ascontiguousarray(values)).view(np.float16)


def from_half(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """`(h, w) float16` as float32, exactly; float32 as it is."""
    if values.dtype != np.float16:
        return values.astype(np.float32, copy=False)
    return np.asarray(cv2.convertFp16(np.ascontiguousarray(values).view(np.int16)), np.float32)
