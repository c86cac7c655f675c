"""Which readers of others read a crop, whatever a plain resize may do for them.

"No other reader we know reads it" is a sentence of the README and of the playground; this is what it means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmark.comparison.arms import Image
from benchmark.comparison.readers import DIRECT, available, build_reader

KERNELS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "Lanczos": cv2.INTER_LANCZOS4,
    "area": cv2.INTER_AREA,
}
SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
NAMES = {
    "wechat": "WeChat",
    "wechat-plain": "WeChat without its nets",
    "zxing": "zxing-cpp",
    "opencv": "OpenCV",
    "opencv-aruco": "OpenCV (ArUco)",
    "zbar": "ZBar",
}


@dataclass(frozen=True, slots=True)
class Success:
    """A reader that read, and on what."""

    reader: str
    kernel: str
    scale: float


def resized(image: Image) -> Iterator[tuple[str, float, Image]]:
    """The image by every kernel and every scale, the image itself once."""
    height, width = image.shape
    for scale in SCALES:
        size = (round(width * scale), round(height * scale))
        for kernel, code in KERNELS.items():
            if scale == 1.0:
                yield "as it is", scale, image
                break
            yield kernel, scale, np.asarray(cv2.resize(image, size, interpolation=code), np.uint8)


def readers(wechat: Path) -> tuple[str, ...]:
    """The readers of others that can be used here."""
    return available(wechat, DIRECT)[0]


def successes(image: Image, wechat: Path, wanted: tuple[str, ...] | None = None) -> Iterator[Success]:
    """Whatever reads anything from the crop, `(h, w) uint8`.

    Args:
        wechat: folder of WeChat's nets.
        wanted: names of readers; all that can be used here without it.
    """
    built = {name: build_reader(name, wechat) for name in wanted or readers(wechat)}
    for kernel, scale, picture in resized(image):
        for name, read in built.items():
            if read(picture):
                yield Success(name, kernel, scale)
