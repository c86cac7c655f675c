"""How late the event loop is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

PERIOD_S = 0.1


@asynccontextmanager
async def watched(observe: Callable[[float], None]) -> AsyncIterator[None]:
    """While the block runs, tell by how many seconds the loop missed a waking-up every `PERIOD_S`."""
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
