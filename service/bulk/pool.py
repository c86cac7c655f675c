"""Pools of workers, and the loop that gives them the parts of a run."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import pyarrow as pa

from service.bulk.job import Made, Task
from service.bulk.worker import Worker, WorkerError
from service.bulk.workspace import Part, Workspace
from service.settings import Settings

_IN_FLIGHT = 3
"""Parts in progress in one process: the next one starts while the last files of another are processed."""


class Pool(Protocol):
    """Workers, in this process or on a cluster."""

    slots: int
    """Number of parts in progress at the same time."""

    async def table(self, names: Sequence[str]) -> pa.Table:
        """See `Worker.table`."""
        ...


class InProcess:
    """One worker in this process, with all its CPUs or its GPU."""

    slots = _IN_FLIGHT

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def table(self, names: Sequence[str]) -> pa.Table:
        return await self._worker.table(names)


@asynccontextmanager
async def in_process(
    settings: Settings, task: Task, made: Made, advanced: Callable[[int], None]
) -> AsyncIterator[InProcess]:
    """A pool of one worker.

    Args:
        made: what the answers must depend on.
        advanced: called with the number of files that have been processed since the last call.

    Raises:
        ManifestError, EngineError, PoolError: see `Worker.opened`.
        WorkerError: the worker differs from `made`.
    """
    async with Worker.opened(settings, task, lambda: advanced(1)) as worker:
        check(worker.made, made)
        yield InProcess(worker)


def check(found: Made, wanted: Made) -> None:
    """Compare a worker with the start of the run.

    Raises:
        WorkerError: they differ.
    """
    if found != wanted:
        kinds = [name for name in Made.model_fields if getattr(found, name) != getattr(wanted, name)]
        raise WorkerError(f"a worker's {', '.join(kinds)} differ from the start of the run")


async def drive(
    pool: Pool, workspace: Workspace, parts: Iterable[Part], written: Callable[[Part, pa.Table], None]
) -> None:
    """Process and write every part. At most as many parts as the pool has slots are in memory.

    Args:
        written: called after each part.

    Raises:
        WorkerError, OSError: the run cannot continue; finished parts stay.
    """

    async def work(part: Part) -> None:
        rows = await pool.table(part.names)
        await asyncio.to_thread(workspace.put, part, rows)
        written(part, rows)

    under_way: set[asyncio.Task[None]] = set()
    try:
        for part in parts:
            under_way.add(asyncio.create_task(work(part)))
            if len(under_way) >= pool.slots:
                under_way = await _some(under_way)
        while under_way:
            under_way = await _some(under_way)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _some(under_way: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until at least one has ended. Returns the others."""
    done, others = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return others
