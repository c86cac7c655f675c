"""The items of the sweep: every family of degradation at every number of pixels per module.

The same symbols, versions 2 to 10 in equal shares, with the same degradations are used at every point of the axis, so
that only pixels per module change; the crops grow with them.
"""

import zlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from benchmark.comparison.arms import Arm, Image
from scoring.cases import picture
from scoring.families import FAMILIES
from scoring.symbols import draw_symbol

PX_PER_MODULE = (0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 4.0)
VERSIONS = tuple(range(2, 11))
COUNT = len(VERSIONS)
"""Symbols of a family."""
_STREAM = 0x53EE


@dataclass(frozen=True, slots=True)
class SweepItem:
    """One symbol of one family at one number of pixels per module."""

    family: str
    index: int
    px_per_module: float
    seed: int
    arms: tuple[Arm, ...] = ()

    @property
    def name(self) -> str:
        """For example `camera-1.35-007`."""
        return f"{self.family}-{self.px_per_module:g}-{self.index:03d}"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        """The same symbol for other arms."""
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """`lr`, and the payload."""
        # By name, so that a new family does not change the others.
        seed = [_STREAM, self.seed, zlib.crc32(self.family.encode()), self.index]
        rng = np.random.default_rng(seed)
        symbol = draw_symbol(VERSIONS[self.index % len(VERSIONS)], rng)
        case = FAMILIES[self.family](rng)
        return {"lr": picture(case, symbol, self.px_per_module, seed)}, (symbol.payload,)


def sweep_items(
    families: tuple[str, ...], axis: tuple[float, ...], count: int, seed: int, arms: tuple[Arm, ...]
) -> list[SweepItem]:
    """Family by family, then point by point, then symbol by symbol."""
    return [
        SweepItem(family, index, px, seed, arms)
        for family in families
        for px in axis
        for index in range(count)
    ]
