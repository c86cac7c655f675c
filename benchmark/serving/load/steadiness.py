"""Whether the speed of the machine stayed the same; only then a measurement counts.

The CPUs of a virtual machine may share a core with each other or with another machine, and have one of their own a
second later. Everything then takes up to twice its time, and neither the load nor the stolen time shows it.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, TypeVar

T = TypeVar("T")

WITHIN = 0.15
"""Largest difference of two rates of the same work, as a share of the larger one."""
ENOUGH = 3
"""Least number of rounds that must count for a row to be valid."""
_MOST_WINDOWS = 3
"""Most windows for each round that has to count."""
_PAUSE_S = 0.5
_EVERY_S = 0.04
_TURNS = 5000


def steady(*rates: float) -> bool:
    """Whether rates, or times, are nearly equal."""
    return max(rates) - min(rates) <= WITHIN * max(rates)


Window = Callable[[], dict[str, float]]
"""A measurement: its "rate" and further values."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Windows of two sides in turn."""

    first: list[dict[str, float]]
    second: list[dict[str, float]]
    counted: list[float]
    """Ratios of the first side's rate to the second's in the rounds that count, ascending."""
    unsteady: list[float]
    """The same in the other rounds."""

    @property
    def ratio(self) -> float:
        """The median of the rounds that count, or of all if none does."""
        return median(self.counted or self.unsteady)


def in_turns(first: Window, second: Window, rounds: int) -> Turns:
    """Windows of both sides in turn, each compared with the windows before and after it, until `rounds` rounds count or
    there are too many.

    If the two windows around one differ, the speed of the machine has changed, and the round does not count.
    """
    windows: list[dict[str, float]] = []
    counted: list[float] = []
    others: list[float] = []
    while len(counted) < rounds and len(windows) < _MOST_WINDOWS * rounds:
        windows.append((second if len(windows) % 2 else first)())
        time.sleep(_PAUSE_S)
        if len(windows) >= 3:
            before, middle, after = (one["rate"] for one in windows[-3:])
            outer = (before + after) / 2
            # The windows of the first side are the even ones.
            ratio = outer / middle if len(windows) % 2 else middle / outer
            (counted if steady(before, after) else others).append(ratio)
    return Turns(windows[::2], windows[1::2], sorted(counted), sorted(others))


async def paced(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """The result of `work`, and the mean processor time in microseconds of a short loop that runs every 40 ms
    meanwhile. The loop takes a few thousandths of a CPU."""
    looks = [_look()]

    async def looking() -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            looks.append(_look())

    beside = asyncio.create_task(looking())
    try:
        return await work, fmean(looks)
    finally:
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside


def _look() -> float:
    started = time.thread_time_ns()
    for _ in range(_TURNS):
        pass
    return (time.thread_time_ns() - started) / 1e3
