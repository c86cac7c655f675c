"""Arms of the comparison: an arm is a picture, an upscaler, and a reader."""

import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WHOLE = "photo"
"""The picture that is a whole photograph, which may hold other symbols too."""
NONE = "none"
"""The upscaler of an arm that reads the picture as it is."""


@dataclass(frozen=True, slots=True, order=True)
class Arm:
    """One way to read."""

    picture: str
    """Which picture of the item: `lr` or `hr`."""
    upscaler: str
    reader: str

    def __str__(self) -> str:
        """For example `lr|bicubic|wechat`."""
        return f"{self.picture}|{self.upscaler}|{self.reader}"


def parse_arm(text: str) -> Arm:
    """The inverse of `str(arm)`."""
    picture, upscaler, reader = text.split("|")
    return Arm(picture, upscaler, reader)


@dataclass(frozen=True, slots=True)
class Shot:
    """The result of one arm on one item."""

    outcome: str
    milliseconds: float
    """Processor time of upscaling and reading on one core; a busy machine hardly changes it."""
    wrong: tuple[bytes, ...] = ()
    """Payloads that are not the item's."""
    evidence: bytes | None = None
    """The picture that was misread, as PNG."""


@dataclass(frozen=True, slots=True)
class Taken:
    """All arms of one item."""

    shots: tuple[Shot, ...]
    """In the order of the item's arms."""
    fingerprint: int
    """CRC-32 of the item's pixels; 0 if the process ended before it was computed."""


class Item(Protocol):
    """One symbol and its pictures. Picklable and small: pictures are drawn in the process that reads them."""

    @property
    def name(self) -> str:
        """Name of the item in reports and files."""
        ...

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms to be tried on it."""
        ...

    def with_arms(self, arms: tuple[Arm, ...]) -> "Item":
        """The same item for other arms."""
        ...

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """Its pictures `(h, w) uint8` by name, and every byte string that counts as its payload."""
        ...


def fingerprint(pictures: dict[str, Image]) -> int:
    """CRC-32 of the pixels of all pictures, in the order of their names."""
    crc = 0
    for name in sorted(pictures):
        crc = zlib.crc32(np.ascontiguousarray(pictures[name]).tobytes(), crc)
    return crc
