"""Degradations by optics, sensors, screens, printers and codecs. Planes are `(H, W) float32` in [0, 1], images `uint8`.

Lengths are in pixels of the given plane.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from scoring.scenes import Plane, reduce

Image = NDArray[np.uint8]


def gaussian(plane: Plane, sigma: float) -> Plane:
    """Blur of lens and sensor."""
    if sigma <= 0:
        return plane
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def defocus(plane: Plane, radius: float) -> Plane:
    """Blur by a disc, its edge anti-aliased."""
    reach = int(np.ceil(radius)) + 1
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    return _filtered(plane, np.clip(radius + 0.5 - np.hypot(axis[None, :], axis[:, None]), 0, 1))


def motion(plane: Plane, length: float, angle: float) -> Plane:
    """Blur along a straight line of `length` at `angle` radians."""
    reach = int(np.ceil(length / 2)) + 1
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = np.abs(axis[None, :] * cos + axis[:, None] * sin)
    across = np.abs(axis[:, None] * cos - axis[None, :] * sin)
    return _filtered(plane, np.clip(length / 2 + 0.5 - along, 0, 1) * np.clip(1 - across, 0, 1))


def _filtered(plane: Plane, kernel: Plane) -> Plane:
    kernel = (kernel / kernel.sum()).astype(np.float32)
    return np.asarray(cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def noise(plane: Plane, sigma: float, rng: np.random.Generator) -> Plane:
    """Additive Gaussian noise, standard deviation `sigma`."""
    return (plane + sigma * rng.standard_normal(plane.shape, np.float32)).astype(np.float32)


def low_light(plane: Plane, photons: float, rng: np.random.Generator) -> Plane:
    """Few photons: shot and read noise, the camera's gain, gamma 2.2 and its noise reduction.

    `photons` is the mean count of a white pixel.
    """
    linear = np.clip(plane, 0, 1) ** np.float32(2.2)
    counts = rng.poisson(linear * photons).astype(np.float32) + 1.5 * rng.standard_normal(
        plane.shape, np.float32
    )
    developed = np.clip(counts / photons, 0, 1) ** np.float32(1 / 2.2)
    return gaussian(developed.astype(np.float32), 0.5)


def sharpen(plane: Plane, amount: float, sigma: float = 1.0) -> Plane:
    """Unsharp mask, as cameras and scanners apply it."""
    return (plane + amount * (plane - gaussian(plane, sigma))).astype(np.float32)


def screen(plane: Plane, pitch: float, angle: float, depth: float) -> Plane:
    """A display: its light comes from stripes of red, green and blue between dark gaps, `pitch` pixels apart.

    Sampling it afterwards causes moiré. `depth` is the share of the structure, 0 to 1.
    """
    height, width = plane.shape
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    column, row = ((x * cos + y * sin) / pitch) % 1, ((y * cos - x * sin) / pitch) % 1
    # Rec. 601 luma weights of the three stripes.
    stripes = np.select(
        [column < 1 / 3, column < 2 / 3], [np.float32(0.299), np.float32(0.587)], np.float32(0.114)
    )
    emission = stripes * 3 * (row < 0.8) / 0.8
    return np.clip(plane * (1 - depth + depth * emission), 0, 1.2).astype(np.float32)


def paper_print(plane: Plane, grain: float, rng: np.random.Generator) -> Plane:
    """Toner speckle and the grain of paper, coarser than a pixel; `grain` is its standard deviation."""
    height, width = plane.shape
    coarse = rng.standard_normal((height // 3 + 1, width // 3 + 1), np.float32)
    speckle = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(plane + grain * speckle, 0, 1).astype(np.float32)


def quantise(plane: Plane) -> Image:
    """To the nearest of 256 levels."""
    return np.clip(np.rint(plane * 255), 0, 255).astype(np.uint8)


def jpeg(image: Image, quality: int, shift: tuple[int, int] = (0, 0)) -> Image:
    """Through OpenCV's JPEG codec, grey or colour. `shift` moves the 8x8 blocks by that many pixels, (x,
    y)."""
    dx, dy = shift
    height, width = image.shape[:2]
    moved = image
    if dx or dy:
        moved = cv2.copyMakeBorder(image, dy, 0, dx, 0, cv2.BORDER_REPLICATE).astype(np.uint8)
    done, data = cv2.imencode(".jpg", moved, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG")
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
    return np.ascontiguousarray(decoded[dy : dy + height, dx : dx + width])


def messenger(
    plane: Plane, shape: tuple[int, int], qualities: tuple[int, int], shift: tuple[int, int]
) -> Image:
    """Compressed by the camera, then reduced to `shape` by a messenger and compressed again."""
    sent = jpeg(quantise(plane), qualities[0])
    received = reduce((sent / np.float32(255)).astype(np.float32), shape)
    return jpeg(quantise(received), qualities[1], shift)
