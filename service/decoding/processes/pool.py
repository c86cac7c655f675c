"""A pool of decoder processes behind an async call: deadlines, recycling, replacement of processes that end.

WeChatQRCode needs processes: it is not thread-safe, has crashed on some images, and can take minutes for others
(opencv_contrib#3405, #3150, #2984). Each process has a channel of its own, so that killing one in the middle of a
message does not affect the others, as it would with a queue that they share.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from service.decoding.processes.child import pack
from service.decoding.processes.errors import JobCrashedError, JobTimeoutError, PoolError, ProcessDiedError
from service.decoding.processes.process import DecoderProcess, Job

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MOST_IN_HAND = 4
"""Most jobs queued in a process. It can start the next one while the event loop is busy, and the loop wakes once for
several answers."""
_LONGEST_RESTART_PAUSE = 5.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class PoolCounters:
    """Events since the pool was created."""

    restarts: int = 0
    """Processes started in place of one that ended, was killed at a deadline, or was recycled."""
    crashes: int = 0
    """Processes that ended during a job."""
    idle_exits: int = 0
    """Processes that ended while they had no job."""
    timeouts: int = 0
    """Jobs that exceeded their limit or deadline."""


class DecoderPool:
    """A fixed number of decoder processes. All methods belong to one event loop."""

    def __init__(
        self,
        factory: Callable[..., object],
        *arguments: object,
        size: int = 2,
        tasks_per_process: int = 1000,
        start_timeout: float = 30.0,
        memory_bytes: int = 0,
        confined: bool = False,
    ) -> None:
        """Nothing is started yet.

        Args:
            factory: a module's function or class. Each process calls `factory(*arguments)` once and passes the result
                to every job as its first argument. For the arguments see `messages.encode`.
            size: number of processes, and so of jobs running at the same time. Up to `MOST_IN_HAND` jobs are queued in
                each, where all but the last are brief.
            tasks_per_process: number of jobs after which a process is replaced, which limits leaks of native code.
            start_timeout: seconds for a process to build its context.
            memory_bytes, confined: see `DecoderProcess`.
        """
        self.counters = PoolCounters()
        self._factory, self._arguments = factory, arguments
        self._size, self._tasks_per_process, self._start_timeout = size, tasks_per_process, start_timeout
        self._memory_bytes, self._confined = memory_bytes, confined
        self._closed = False
        self._waiting: deque[Job] = deque()
        self._processes: set[DecoderProcess] = set()
        """All of them, those that start or end included."""
        self._at_work: list[DecoderProcess] = []
        """Those that are given jobs."""
        self._background: set[asyncio.Task[Any]] = set()
        self._recycling = asyncio.Lock()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children, busy or idle."""
        return sorted(process.pid for process in self._processes)

    @property
    def running(self) -> int:
        """Jobs queued in processes, those of cancelled callers included."""
        return sum(process.jobs for process in self._processes)

    @property
    def waiting(self) -> int:
        """Jobs with a waiting caller for which no process has room."""
        return sum(not job.answer.done() for job in self._waiting)

    async def start(self) -> None:
        """Start all processes and wait until their contexts are built.

        Raises:
            PoolError: one did not start. The others have been ended.
        """
        started = await asyncio.gather(*(self._started() for _ in range(self._size)), return_exceptions=True)
        for outcome in started:
            if isinstance(outcome, BaseException):
                await self.close()
                raise outcome
            self._put_to_work(outcome)

    async def close(self) -> None:
        """End all processes and wait for them. Running and waiting jobs raise PoolError."""
        self._closed = True
        while self._waiting:
            _fail(self._waiting.popleft(), PoolError("the decoder pool has been closed"))
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        # Calls in progress fail together with their processes.
        await asyncio.gather(*(self._discard(process) for process in tuple(self._processes)))

    async def run(
        self,
        job: Callable[[Any, *Ts], T],
        *arguments: *Ts,
        deadline: float,
        limit: float = math.inf,
        brief: bool = False,
    ) -> T:
        """Run `job(context, *arguments)` in a process; if the process ends during it, once more in another one.

        When the caller is cancelled or its deadline passes, the process goes on. It is free when the job is done, and
        killed when the job exceeds its limit: starting a new process would take longer.

        Args:
            job: a module's function. For its arguments and its result see `wire.encode`.
            deadline: on the clock of `time.monotonic()`, seconds.
            limit: seconds the job may take in its process, without the time in the queue; by default up to the
                deadline.
            brief: whether it is nearly always so quick that other jobs may be queued behind it. They wait for it even
                when another process becomes free.

        Raises:
            JobTimeoutError: the deadline or the limit passed.
            JobCrashedError: two processes ended during it.
            JobFailedError: the job raised.
            PoolError: the pool has been closed.
        """
        left = max(deadline - time.monotonic(), 0.0)
        request = pack(job, arguments, min(limit, left))
        tries = 0
        while tries < 2:
            asked = Job(request, deadline, limit, brief)
            self._ask(asked, at_once=tries > 0)
            left = max(deadline - time.monotonic(), 0.0)
            timer = asyncio.get_running_loop().call_later(left, self._expired, asked)
            try:
                result: T = await asked.answer
            except ProcessDiedError as error:
                # If the process had not started this job, the job was not the cause and loses no try.
                tries += error.began
                self.counters.crashes += error.began
            else:
                return result
            finally:
                timer.cancel()
                # The job refers to its exception, whose traceback refers to this frame. Without this line that would be
                # a cycle, and the picture would stay in memory until garbage collection.
                del asked
        raise JobCrashedError("two decoder processes ended over the same job")

    def _ask(self, job: Job, *, at_once: bool) -> None:
        """Queue a job before all waiting ones or after them, and hand it over when there is room."""
        if self._closed:
            _fail(job, PoolError("the decoder pool has been closed"))
            return
        if at_once:
            self._waiting.appendleft(job)
        else:
            self._waiting.append(job)
        self._hand_over()

    def _hand_over(self) -> None:
        """Give waiting jobs to processes that have room."""
        while self._waiting:
            if self._waiting[0].answer.done():
                # Its caller was cancelled, or its deadline has passed.
                self._waiting.popleft()
                continue
            if (process := self._freest()) is None:
                return
            process.take(self._waiting.popleft())
            if process.tasks % self._tasks_per_process == 0:
                self._in_background(self._recycle(process))

    def _freest(self) -> DecoderProcess | None:
        """The process with the fewest jobs among those that have room."""
        found = None
        for process in self._at_work:
            if process.has_room(MOST_IN_HAND) and (found is None or process.jobs < found.jobs):
                found = process
                if not found.jobs:
                    break
        return found

    def _expired(self, job: Job) -> None:
        """Fail a job whose deadline has passed."""
        # A running job without a limit of its own is timed by its process, which may have an unread answer.
        if job.answer.done() or (job.begun and not math.isfinite(job.limit)):
            return
        self.counters.timeouts += 1
        where = "in a decoder process" if job.begun else "before a decoder process could begin"
        _fail(job, JobTimeoutError(f"the deadline passed {where}"))

    def _changed(self, process: DecoderProcess) -> None:
        """Handle a process that has done a job or has ended."""
        if self._closed:
            return
        at_work = process in self._at_work
        if process.ending is not None:
            if at_work:
                self._at_work.remove(process)
                self._ended(process)
        elif not at_work and not process.jobs:
            # It has been replaced already.
            self._in_background(self._discard(process))
        self._hand_over()

    def _ended(self, process: DecoderProcess) -> None:
        self.counters.timeouts += process.ending == "late"
        self.counters.idle_exits += process.ending == "idle"
        _log.warning("decoder process %d ended", process.pid, extra={"ending": process.ending})
        self._in_background(self._replace(process))

    def _put_to_work(self, process: DecoderProcess) -> None:
        process.on_change = self._changed
        self._at_work.append(process)
        # It may have ended in the meantime.
        self._changed(process)

    async def _replace(self, old: DecoderProcess) -> None:
        """Start a process in place of one that has ended, and try until it succeeds."""
        await self._discard(old)
        pause = 0.1
        while True:
            try:
                new = await self._started()
            except PoolError as error:
                _log.error("%s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RESTART_PAUSE)
            else:
                break
        self.counters.restarts += 1
        self._put_to_work(new)

    async def _recycle(self, old: DecoderProcess) -> None:
        """Start a new process and then end the old one, one at a time, so that the number never falls."""
        async with self._recycling:
            if old not in self._at_work:
                return
            try:
                new = await self._started()
            except PoolError as error:
                _log.error("%s; the old process stays in use", error)
                return
        if old not in self._at_work:
            # It has ended meanwhile and is being replaced.
            await self._discard(new)
            return
        self.counters.restarts += 1
        self._at_work.remove(old)
        self._put_to_work(new)
        if not old.jobs:
            await self._discard(old)

    async def _started(self) -> DecoderProcess:
        process = DecoderProcess(
            self._factory, self._arguments, memory_bytes=self._memory_bytes, confined=self._confined
        )
        self._processes.add(process)
        try:
            async with asyncio.timeout(self._start_timeout):
                await process.ready()
        except BaseException as error:
            await self._discard(process)
            if isinstance(error, TimeoutError):
                raise PoolError(f"a decoder process was not ready in {self._start_timeout} s") from error
            if isinstance(error, ProcessDiedError):
                raise PoolError(f"a decoder process did not start: {error}") from error
            raise
        return process

    async def _discard(self, process: DecoderProcess) -> None:
        process.kill()
        process.hang_up()
        # The kernel may need a moment to release the memory of the process.
        await asyncio.to_thread(process.reap)
        self._processes.discard(process)

    def _in_background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task


def _fail(job: Job, error: Exception) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)
