"""Whether a machine's speed has stayed: what is measured counts only then.

A virtual machine's CPUs may share a core with each other, or with somebody else's, and have one of their own a second
later. Then everything takes up to twice its time, and neither the load nor what the host takes away shows it.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from statistics import fmean
from typing import Any, TypeVar

T = TypeVar("T")

WITHIN = 0.15
"""How far two rates of the same work may differ, of the larger one."""
ENOUGH = 3
"""Rounds that must count for a row to say anything."""
_EVERY_S = 0.04
_TURNS = 5000


def steady(*rates: float) -> bool:
    """Whether rates, or times, are near enough to each other to be one."""
    return max(rates) - min(rates) <= WITHIN * max(rates)


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
