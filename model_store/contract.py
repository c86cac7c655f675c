"""What happens to pixels before and after a generator's graph.

Serving, export parity checks and evaluation import these functions, so that the generator sees the same
numbers everywhere. All functions are pure; images are `(H, W[, 3]) uint8`, tensors `(N, 1, H, W) float32 in
[0, 1]`.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SCALE = 4

Image = npt.NDArray[np.uint8]
"""`(H, W)` grey or `(H, W, 3)` RGB, `uint8`."""
Tensor = npt.NDArray[np.float32]

_STRIP = 64
"""Rows of the upload recombined at once: bounds the working memory to a few MB whatever the image's
height."""
_CUBIC_REACH = 4
"""Rows beside a strip that can change it: a cubic kernel reaches 2, kept even."""


def luma(image: Image) -> Image:
    """Rec. 601 luma `(H, W) uint8` of a grey or RGB image (Y = .299 R + .587 G + .114 B, rounded)."""
    if image.ndim == 2:
        return image
    return _image(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def to_tensor(plane: Image) -> Tensor:
    """`(H, W) uint8` to `(1, 1, H, W) float32 in [0, 1]`."""
    return np.multiply(plane, np.float32(1 / 255), dtype=np.float32)[None, None]


def pad_to_multiple(plane: Image, multiple: int) -> Image:
    """Repeat the last row and column until height and width are multiples of `multiple`.

    The padding is on the bottom and on the right only, so that pixel (0, 0), and with it the phase of a
    JPEG's blocks, stays where it is. Crop the output to `SCALE` times the original size.
    """
    height, width = plane.shape
    below, beside = -height % multiple, -width % multiple
    if not below and not beside:
        return plane
    return _image(cv2.copyMakeBorder(plane, 0, below, 0, beside, cv2.BORDER_REPLICATE))


def quantise(sr: Tensor) -> Image:
    """`float32` in [0, 1] to the nearest `uint8`, same shape; what lies outside is clipped."""
    scaled = np.multiply(sr, np.float32(255))
    np.rint(scaled, out=scaled)
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def symbol_picture(logits: npt.NDArray[np.float16]) -> Image:
    """The picture of the clean symbol that logits stand for: 255 times their sigmoid, rounded; same shape."""
    shades: Image = _shades()[logits.view(np.uint16)]
    return shades


@cache
def _shades() -> Image:
    """The shade of each of the 65,536 values of float16: a look-up is far quicker than an exponential a pixel."""
    with np.errstate(over="ignore", invalid="ignore"):
        light = 1 / (1 + np.exp(-np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)))
    return np.rint(255 * np.nan_to_num(light, nan=0.5)).astype(np.uint8)


def merge_colour(rgb: Image, sr_luma: Image) -> Image:
    """Colour the generator's luma with the upload's chroma, upscaled by bicubic interpolation.

    Args:
        rgb: the upload, `(H, W, 3)`.
        sr_luma: the generator's output, `(4H, 4W)`.

    Returns:
        RGB `(4H, 4W, 3)`. A neutral upload stays neutral: its output equals `sr_luma` in all three channels.
    """
    height, width = rgb.shape[:2]
    out = np.empty((*sr_luma.shape, 3), np.uint8)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        above, below = max(top - _CUBIC_REACH, 0), min(bottom + _CUBIC_REACH, height)
        ycrcb = cv2.cvtColor(rgb[above:below], cv2.COLOR_RGB2YCrCb)
        wide = cv2.resize(ycrcb, (width * SCALE, (below - above) * SCALE), interpolation=cv2.INTER_CUBIC)
        strip = wide[(top - above) * SCALE : (bottom - above) * SCALE]
        rows = slice(top * SCALE, bottom * SCALE)
        strip[..., 0] = sr_luma[rows]
        out[rows] = cv2.cvtColor(strip, cv2.COLOR_YCrCb2RGB)
    return out


def enlarge(plane: Image) -> Image:
    """Bicubic `(H, W) uint8` to `(4H, 4W) uint8`, for what the generator does not see (alpha)."""
    height, width = plane.shape
    return _image(cv2.resize(plane, (width * SCALE, height * SCALE), interpolation=cv2.INTER_CUBIC))


def _image(array: Any) -> Image:
    # cv2's stubs promise integer or floating arrays only; uint8 in gives uint8 out for the calls above.
    return np.asarray(array, np.uint8)
