"""Cuts a plane into overlapping tiles, and says which part of each tile's output to keep.

Lengths are upload pixels; the same cut is made along both axes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

JPEG_BLOCK = 8
"""Tiles start at multiples of this, so that the 8x8 blocks of a JPEG have the same phase in every tile."""


@dataclass(frozen=True, slots=True)
class Span:
    """One axis of a tile: its extent, and the part whose output is kept."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def inner(self) -> tuple[int, int]:
        """The kept part, relative to the start of the tile."""
        return self.keep_start - self.start, self.keep_stop - self.start


@dataclass(frozen=True, slots=True)
class Tile:
    rows: Span
    columns: Span


def plan(height: int, width: int, *, tile: int, radius: int, multiple: int) -> Iterator[Tile]:
    """Tiles that cover a `height` x `width` plane, row by row.

    The kept parts cover every pixel exactly once. Each is at least `radius` pixels away from the edges of its tile that
    are not edges of the plane. So a network with this receptive radius gives the same picture tiled and whole.

    Args:
        height, width: the plane's size, multiples of `multiple`.
        tile: longest side of a tile; raised where it is too short for `radius`.
        radius: receptive radius of the network, in pixels.
        multiple: tile sizes and starts are multiples of this, for networks that downsample.
    """
    longest, margin = side(tile, radius=radius, multiple=multiple), _margin(radius, multiple)
    for rows in _spans(height, longest, margin):
        for columns in _spans(width, longest, margin):
            yield Tile(rows, columns)


def side(tile: int, *, radius: int, multiple: int) -> int:
    """The longest side of a tile that `plan` makes from the same arguments."""
    step = math.lcm(JPEG_BLOCK, multiple)
    return max(tile // step * step, 2 * _margin(radius, multiple) + step)


def _margin(radius: int, multiple: int) -> int:
    step = math.lcm(JPEG_BLOCK, multiple)
    return -(-radius // step) * step


def _spans(length: int, side: int, margin: int) -> Iterator[Span]:
    start = 0
    while start + side < length:
        yield Span(start, start + side, start + margin if start else 0, start + side - margin)
        start += side - 2 * margin
    yield Span(start, length, start + margin if start else 0, length)
