"""One thread that owns the engine, behind a bounded first-in-first-out queue.

The queue's items are tiles, not requests: a large image waits between its tiles like everybody else, so a
small one is never held up by more than one tile. Items that share a shape could be run as one batch here;
nothing outside would notice.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from model_store.contract import Tensor
from service.engine import EngineOutput, UpscaleEngine
from service.errors import ServiceError


@dataclass(slots=True)
class _Job:
    lr: Tensor
    logits: bool
    deadline: float
    done: Future[EngineOutput] = field(default_factory=Future)
    queued: float = field(default_factory=time.monotonic)


class EngineThread:
    """Runs tiles one after another, away from the event loop."""

    def __init__(
        self, engine: UpscaleEngine, *, capacity: int, observe: Callable[[str, float], None]
    ) -> None:
        """
        Args:
            engine: called from this object's thread only.
            capacity: tiles that may wait.
            observe: told the seconds of each `queue` wait and each `inference`.
        """
        self.engine = engine
        self._observe = observe
        self._jobs: queue.Queue[_Job | None] = queue.Queue(capacity)
        self._thread = threading.Thread(target=self._loop, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        return self._jobs.qsize()

    async def run(self, lr: Tensor, *, logits: bool, deadline: float) -> EngineOutput:
        """Queue a tile and wait for its output. A caller that is cancelled is not worked for.

        Raises:
            ServiceError: `not_ready` when the engine has ended, `overloaded` when the queue is full,
                `deadline_exceeded` when its turn comes too late.
        """
        if self._thread.ident is not None and not self.alive:
            raise ServiceError("not_ready", "the engine has ended", retry_after=5)
        job = _Job(lr, logits, deadline)
        try:
            self._jobs.put_nowait(job)
        except queue.Full as error:
            raise ServiceError("overloaded", "the engine's queue is full", retry_after=1) from error
        return await asyncio.wrap_future(job.done)

    def _loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.done.set_running_or_notify_cancel():
                self._work(job)

    def _work(self, job: _Job) -> None:
        started = time.monotonic()
        self._observe("queue", started - job.queued)
        if started >= job.deadline:
            job.done.set_exception(ServiceError("deadline_exceeded", "the engine was busy for too long"))
            return
        try:
            output = self.engine.run(job.lr, logits=job.logits)
        except Exception as error:
            job.done.set_exception(error)
            return
        self._observe("inference", time.monotonic() - started)
        job.done.set_result(output)
