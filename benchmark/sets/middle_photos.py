"""Whole photographs reduced to the size at which `/decode` leaves some attempts out: 128x128 to 256x256 pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from benchmark.comparison.arms import Arm, Image
from benchmark.sets import photos
from benchmark.sets.photos import Photo
from scoring import degradations
from service.decoding.cascade import LARGE, SMALL

PIXELS = (22_000, 40_000, 64_000)
"""Of a reduced photograph, roughly."""
QUALITIES = (None, 60, 30)
"""Of JPEG; None for none."""


@dataclass(frozen=True, slots=True)
class MiddleItem:
    """One photograph at one size and quality."""

    folder: Path
    photo: Photo
    pixels: int
    quality: int | None
    arms: tuple[Arm, ...] = ()

    @property
    def name(self) -> str:
        """For example `set-7-40000-60`."""
        return f"{self.photo.stem}-{self.pixels}-{self.quality or 'plain'}"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        """The same picture for other arms."""
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """`lr`, and every byte string that counts as its payload."""
        whole = photos.luma(photos.load(self.folder / self.photo.path))
        height, width = _reduced(whole.shape, self.pixels)
        small = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if self.quality is not None:
            small = degradations.jpeg(small, self.quality)
        return {"lr": small}, photos.spellings(self.photo.payload.encode(), self.photo.payload)


def middle_items(folder: Path, arms: tuple[Arm, ...]) -> list[MiddleItem]:
    """Every photograph of a folder that is larger, at all sizes and qualities.

    Raises:
        PhotosError: see `photos.read_index`.
    """
    return [
        MiddleItem(folder, photo, pixels, quality, arms)
        for photo in photos.read_index(folder)
        for pixels in _fitting(photos.load(folder / photo.path).shape)
        for quality in QUALITIES
    ]


def _fitting(shape: Sequence[int]) -> list[int]:
    return [
        pixels
        for pixels in PIXELS
        if pixels < shape[0] * shape[1] and SMALL < np.prod(_reduced(shape, pixels)) <= LARGE
    ]


def _reduced(shape: Sequence[int], pixels: int) -> tuple[int, int]:
    scale = (pixels / (shape[0] * shape[1])) ** 0.5
    return round(shape[0] * scale), round(shape[1] * scale)
