"""Measures the lag of the event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

PERIOD_S = 0.1


@asynccontextmanager
async def watched(observe: Callable[[float], None]) -> AsyncIterator[None]:
    """During the block, report every `PERIOD_S` seconds how many seconds late the event loop woke up."""
    task = asyncio.create_task(_watch(observe))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(observe: Callable[[float], None]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(PERIOD_S)
        observe(max(time.monotonic() - before - PERIOD_S, 0.0))
