"""Whether a machine's speed has stayed: what is measured counts only then.

A virtual machine's CPUs may share a core with each other, or with somebody else's, and have one of their own a second
later. Then everything takes up to twice its time, and neither the load nor what the host takes away shows it.
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
"""How far two rates of the same work may differ, of the larger one."""
ENOUGH = 3
"""Rounds that must count for a row to say anything."""
_MOST_WINDOWS = 3
"""For each round that has to count."""
_PAUSE_S = 0.5
_EVERY_S = 0.04
_TURNS = 5000


def steady(*rates: float) -> bool:
    """Whether rates, or times, are near enough to each other to be one."""
    return max(rates) - min(rates) <= WITHIN * max(rates)


Window = Callable[[], dict[str, float]]
"""A measurement: its "rate" and whatever else there is to tell."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Windows of two sides that took turns."""

    first: list[dict[str, float]]
    second: list[dict[str, float]]
    counted: list[float]
    """Rates of the first side to the second's, of the rounds that count, ascending."""
    unsteady: list[float]
    """Of the others."""

    @property
    def ratio(self) -> float:
        """The median of what counts, or of all where nothing does."""
        return median(self.counted or self.unsteady)


def in_turns(first: Window, second: Window, rounds: int) -> Turns:
    """Windows of both sides in turn, each compared with the one before and the one after it, until so many `rounds`
    count or there were too many.

    Where the two around a window differ, the machine's speed has changed, and the round does not count.
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
            # The first side's windows are the even ones.
            ratio = outer / middle if len(windows) % 2 else middle / outer
            (counted if steady(before, after) else others).append(ratio)
    return Turns(windows[::2], windows[1::2], sorted(counted), sorted(others))


async def paced(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """The result of `work`, and how long the same little loop took meanwhile: microseconds of processor time, the mean
    of one run every 40 ms. It takes a few thousandths of a CPU."""
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
