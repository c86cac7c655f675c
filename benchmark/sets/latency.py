"""Easy pictures, and the slowest pictures for the cascade: those on which nothing can be read."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from benchmark.comparison.arms import Arm, Image
from benchmark.sets.lookalikes import FIELDS
from scoring import degradations
from scoring.cases import picture
from scoring.families import FAMILIES
from scoring.scenes import reduce
from scoring.symbols import draw_symbol

EASY = ("clean symbol, 3 px", "photographed symbol, 3 px")
SIDE = 128
"""Pixels along a side of a picture without a symbol; those with one are about as large."""
LARGE_SIDE = 256
_OVERSAMPLING = 4
_STREAM = 0x7A7E

Draw = Callable[[list[int], np.random.Generator], tuple[Image, tuple[bytes, ...]]]


def _symbol(family: str, version: int, px_per_module: float) -> Draw:
    def draw(seed: list[int], rng: np.random.Generator) -> tuple[Image, tuple[bytes, ...]]:
        symbol = draw_symbol(version, rng)
        return picture(FAMILIES[family](rng), symbol, px_per_module, seed), (symbol.payload,)

    return draw


def _field(kind: str, side: int) -> Draw:
    def draw(_: list[int], rng: np.random.Generator) -> tuple[Image, tuple[bytes, ...]]:
        plane = FIELDS[kind]((side * _OVERSAMPLING, side * _OVERSAMPLING), rng)
        small = degradations.noise(reduce(plane, (side, side)), 0.02, rng)
        return degradations.jpeg(degradations.quantise(small), 75), ()

    return draw


_KINDS: dict[str, Draw] = {
    EASY[0]: _symbol("clean", 2, 3.0),
    EASY[1]: _symbol("camera", 2, 3.0),
    "version 2 at 1.0 px": _symbol("camera", 2, 1.0),
    "version 10 at 1.0 px": _symbol("camera", 10, 1.0),
    "version 22 at 1.0 px": _symbol("camera", 22, 1.0),
    "version 22 at 1.0 px, JPEG 10": _symbol("jpeg-10", 22, 1.0),
    **{f"{kind}, {side}x{side}": _field(kind, side) for side in (SIDE, LARGE_SIDE) for kind in FIELDS},
}
KINDS = tuple(_KINDS)
"""Symbols near and below the wall, with as many blocks as fit; then noise, textures, text and scenes without one."""


@dataclass(frozen=True, slots=True)
class LatencyItem:
    """One picture of one kind."""

    kind: str
    index: int
    seed: int
    arms: tuple[Arm, ...]

    @property
    def name(self) -> str:
        """For example `text, 128x128-003`."""
        return f"{self.kind}-{self.index:03d}"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        """The same picture for other arms."""
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """`lr`, and the payload of its symbol, if there is one."""
        seed = [_STREAM, self.seed, zlib.crc32(self.kind.encode()), self.index]
        image, truth = _KINDS[self.kind](seed, np.random.default_rng(seed))
        return {"lr": image}, truth


def latency_items(count: int, seed: int, arms: tuple[Arm, ...]) -> list[LatencyItem]:
    """`count` pictures of each kind, in turn, so that a slow moment of the machine affects all kinds."""
    return [LatencyItem(kind, index, seed, arms) for index in range(count) for kind in KINDS]
