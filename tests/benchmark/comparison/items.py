"""Items for the benchmark's farm; a module of its own, so that worker processes can import it."""

import os
import signal
from dataclasses import dataclass, replace
from typing import Self

from benchmark.comparison.arms import Arm, Image
from benchmark.sets.sweep import SweepItem

KILLER = Arm("lr", "none", "zbar-that-crashes")
"""An arm that ends the process as a reader with a fault in native code does."""


@dataclass(frozen=True)
class Fragile:
    """A readable symbol whose arm `KILLER` ends the process."""

    index: int
    arms: tuple[Arm, ...]

    @property
    def name(self) -> str:
        return f"fragile-{self.index}"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        if KILLER in self.arms:
            os.kill(os.getpid(), signal.SIGSEGV)
        return SweepItem("clean", self.index, 4.0, 0).draw()


@dataclass(frozen=True)
class Mislabelled:
    """A readable symbol that is taken for another."""

    arms: tuple[Arm, ...]
    name: str = "mislabelled"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        return SweepItem("clean", 1, 4.0, 0).draw()[0], (b"something else",)
