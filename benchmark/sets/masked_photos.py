"""Photographs with their known symbol painted over: real pictures without a symbol."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from benchmark.comparison.arms import Image
from benchmark.sets.photos import Photo, load, locate, luma
from scoring.scenes import reduce
from service.decoding.wechat import WeChatReader

_MARGIN = 4.0
"""Modules around the symbol that are painted over too."""
_LARGEST_REDUCTION = 5.0


@dataclass(frozen=True, slots=True)
class MaskedPhoto:
    """A photograph and the corners of the painted area; small and picklable."""

    path: Path
    corners: tuple[tuple[float, float], ...]


def mask_photos(folder: Path, photos: Sequence[Photo], wechat: WeChatReader) -> tuple[MaskedPhoto, ...]:
    """Those of `photos` in `folder` whose symbol is found; others may still show it and are left out."""
    masked = []
    for photo in photos:
        located = locate(luma(load(folder / photo.path)), photo.payload, wechat)
        if located is None:
            continue
        corners = np.array(located.corners)
        middle = corners.mean(axis=0)
        grown = middle + (corners - middle) * (1 + 2 * _MARGIN / located.size)
        masked.append(MaskedPhoto(folder / photo.path, tuple((float(x), float(y)) for x, y in grown)))
    return tuple(masked)


def photo_crop(photo: MaskedPhoto, shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """A crop of `shape` from anywhere in the photograph, at its own scale or reduced."""
    picture = _painted(photo)
    largest = min(picture.shape[0] / shape[0], picture.shape[1] / shape[1], _LARGEST_REDUCTION)
    factor = float(rng.uniform(1, max(largest, 1)))
    height, width = (
        max(1, min(int(side * factor), whole)) for side, whole in zip(shape, picture.shape, strict=True)
    )
    y = int(rng.integers(0, picture.shape[0] - height + 1))
    x = int(rng.integers(0, picture.shape[1] - width + 1))
    crop = picture[y : y + height, x : x + width].astype(np.float32)
    return np.rint(reduce(crop, shape)).astype(np.uint8)


@lru_cache(maxsize=64)
def _painted(photo: MaskedPhoto) -> Image:
    image = luma(load(photo.path))
    outline = np.rint(np.array(photo.corners)).astype(np.int32)
    edge = cv2.polylines(np.zeros_like(image), [outline], True, 1, 3)
    around = image[edge > 0] if edge.any() else image
    return np.asarray(cv2.fillPoly(image.copy(), [outline], float(np.median(around))), np.uint8)
