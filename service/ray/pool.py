"""Workers on a Ray cluster. When a worker is lost, its parts go to others until it has been restarted.

Every node needs this package, and the model store and the files at the same paths, on shared storage.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray
from ray.exceptions import RayError, RayTaskError

from service.bulk.job import Made, Task
from service.bulk.pool import check
from service.bulk.worker import EngineLostError, Worker, WorkerError
from service.ray.worker_settings import sized, without_keys
from service.settings import Settings

_IN_FLIGHT = 2
"""Parts queued at each worker, so that it does not wait for the next one."""
_MOST_LOSSES = 5
"""Number of workers lost during one part after which the part is given up."""
_PAUSE_S = 1.0
_PATIENCE_S = 30.0
"""Time without any worker after which a message is shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The resources that a run requests of a cluster."""

    address: str
    """As for `ray.init`: `auto`, `host:port`, `ray://host:port`, or `local` for a cluster on this machine."""
    workers: int
    """0 for as many as the cluster has room for when the run starts."""
    cpus: int
    """CPUs of each worker."""
    gpus: float
    """GPUs of each worker; a fraction shares one."""


class _RayWorker:
    """A `Worker` as a Ray actor. It starts at its first call."""

    def __init__(self, settings: Settings, task: Task) -> None:
        self._settings, self._task = settings, task
        self._opening: asyncio.Task[Worker] | None = None
        # Never closed: Ray ends the whole process, and its decoder processes with it.
        self._stack = AsyncExitStack()

    async def start(self) -> Made:
        """Start. Returns what its answers depend on."""
        return (await self._worker()).made

    async def table(self, names: Sequence[str]) -> pa.Table:
        """See `Worker.table`."""
        return await (await self._worker()).table(names)

    async def _worker(self) -> Worker:
        if self._opening is None:
            opened = Worker.opened(self._settings, self._task)
            self._opening = asyncio.create_task(self._stack.enter_async_context(opened))
        return await asyncio.shield(self._opening)


class RayPool:
    """A pool of workers on a cluster."""

    def __init__(self, workers: Sequence[Any], made: Made, advanced: Callable[[int], None]) -> None:
        """`workers` are handles of `_RayWorker` actors, all of which must report `made`."""
        self.slots = _IN_FLIGHT * len(workers)
        self._made, self._advanced = made, advanced
        self._free: asyncio.Queue[Any] = asyncio.Queue()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coming = {
            asyncio.create_task(self._come(worker)) for worker in workers for _ in range(_IN_FLIGHT)
        }

    async def table(self, names: Sequence[str]) -> pa.Table:
        """See `Worker.table`.

        Raises:
            WorkerError: also where a worker differs from the others, or too many were lost during this part.
        """
        for _ in range(_MOST_LOSSES):
            worker = await self._next()
            try:
                rows = await worker.table.remote(list(names))
            except RayTaskError as error:
                # The worker is alive and reports that it cannot continue.
                if not isinstance(error.cause, EngineLostError):
                    raise WorkerError(str(error.cause)) from error
                ray.kill(worker, no_restart=False)
                self._coming.add(asyncio.create_task(self._come(worker)))
            except RayError:
                self._coming.add(asyncio.create_task(self._come(worker)))
            else:
                self._free.put_nowait(worker)
                self._advanced(len(names))
                return rows
        raise WorkerError(f"{_MOST_LOSSES} workers were lost during the part that begins with {names[0]}")

    async def close(self) -> None:
        """Stop waiting for workers."""
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        self._failed.cancel()

    async def _next(self) -> Any:
        getting = asyncio.create_task(self._free.get())
        try:
            await asyncio.wait({getting, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
            return getting.result()
        finally:
            getting.cancel()

    async def _come(self, worker: Any) -> None:
        """Wait until a worker has started or restarted, and make it available."""
        while True:
            try:
                found = await worker.start.remote()
                check(found, self._made)
            except (RayTaskError, WorkerError) as error:
                if not self._failed.done():
                    cause = error.cause if isinstance(error, RayTaskError) else error
                    self._failed.set_exception(WorkerError(f"a worker does not start: {cause}"))
                return
            except RayError:
                # Its node is lost, or it has not been restarted yet.
                await asyncio.sleep(_PAUSE_S)
            else:
                self._free.put_nowait(worker)
                return

    async def told_when_stuck(self, say: Callable[[str], None]) -> None:
        """Show a message when no worker has started for a long time."""
        while self._free.empty() and len(self._coming) and all(not task.done() for task in self._coming):
            await asyncio.sleep(_PATIENCE_S)
            if all(not task.done() for task in self._coming):
                say("no worker has started yet: has the cluster room for one?")


@asynccontextmanager
async def on_ray(
    shape: Shape,
    settings: Settings,
    task: Task,
    made: Made,
    advanced: Callable[[int], None],
    say: Callable[[str], None],
) -> AsyncIterator[RayPool]:
    """A pool of workers on a cluster, which ends with the block.

    Args:
        made: what the answers must depend on.
        advanced: called with the number of files that have been processed since the last call.
        say: called with messages for the user.

    Raises:
        WorkerError: there is no such cluster, or it has no room for a worker.
    """
    _answers(shape.address)
    # Ray would send usage statistics to its developers unless the user has decided.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address=shape.address, logging_level=logging.ERROR, log_to_driver=False, namespace="qrsr-bulk"
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise WorkerError(f"no Ray cluster at {shape.address}: {error}") from error
    try:
        count = shape.workers or _room(shape)
        own = without_keys(sized(settings, cpus=shape.cpus, gpu=shape.gpus > 0))
        own = own.model_copy(update={"model_store": own.store.absolute()})
        actor = ray.remote(_RayWorker).options(
            num_cpus=shape.cpus, num_gpus=shape.gpus, max_restarts=-1, max_task_retries=0, max_concurrency=8
        )
        pool = RayPool([actor.remote(own, task) for _ in range(count)], made, advanced)
        watch = asyncio.create_task(pool.told_when_stuck(say))
        try:
            yield pool
        finally:
            watch.cancel()
            await pool.close()
    finally:
        # This ends the workers too, since they belong to this process.
        ray.shutdown()


def _answers(address: str) -> None:
    """Check that a server listens at the address; Ray itself would try for minutes.

    Raises:
        WorkerError: none does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_S).close()
    except OSError as error:
        raise WorkerError(f"no Ray cluster at {address}: {error.strerror or error}") from error


def _room(shape: Shape) -> int:
    """Number of workers that the nodes of the cluster have room for now.

    Raises:
        WorkerError: it has none.
    """
    count = 0
    for node in ray.nodes():
        if node["Alive"]:
            there = node["Resources"]
            room = [there.get("CPU", 0) // shape.cpus]
            if shape.gpus:
                room.append(there.get("GPU", 0) // shape.gpus)
            count += int(min(room))
    if not count:
        raise WorkerError(
            f"no node has {shape.cpus} CPUs and {shape.gpus:g} GPUs: say --workers to wait for one"
        )
    return count
