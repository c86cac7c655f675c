"""Decoder processes behind an async call: deadlines, recycling, a new process for every one that ends.

Processes, because WeChatQRCode is not thread-safe, has crashed on some images and can take minutes over
others (opencv_contrib#3405, #3150, #2984). Each has a channel of its own, so that one which is killed in the
middle of a message harms no other; pools that share one queue between their processes do not survive that.
"""

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from service.decoding.child import ProcessDiedError, Request, pack
from service.decoding.process import DecoderProcess

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LONGEST_RESTART_PAUSE = 5.0
_TICK = 0.05
"""Seconds that a job has beyond its limit, to be heard."""
_log = logging.getLogger(__name__)


class PoolError(Exception):
    """The pool could not do a job."""


class JobTimeoutError(PoolError):
    """The deadline passed, waiting for a process or in it, or the job took longer than it may."""


class JobCrashedError(PoolError):
    """Two processes in succession ended over the same job."""


@dataclass(slots=True)
class PoolCounters:
    """What has happened since the pool was made, and what happens now."""

    restarts: int = 0
    """Processes started in place of one that ended, was killed over a deadline or had done its share."""
    crashes: int = 0
    """Processes that ended over a job."""
    idle_exits: int = 0
    """Processes that ended while they had none."""
    timeouts: int = 0
    """Jobs that took longer than they may, or whose deadline passed."""
    running: int = 0
    """Jobs in a process now."""
    waiting: int = 0
    """Jobs that wait for a process now."""


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
            factory: a module's function or class; each process calls `factory(*arguments)` once and gives the
                result to every job as its first argument. For the arguments see `wire.encode`.
            size: processes, and so jobs done at the same time.
            tasks_per_process: jobs after which a process is replaced, which bounds what native code leaks.
            start_timeout: seconds for a process to build its context.
            memory_bytes, confined: see `DecoderProcess`.
        """
        self.counters = PoolCounters()
        self._factory, self._arguments = factory, arguments
        self._size, self._tasks_per_process, self._start_timeout = size, tasks_per_process, start_timeout
        self._memory_bytes, self._confined = memory_bytes, confined
        # None means that the pool has been closed; it stays in the queue for whoever waits next.
        self._idle: asyncio.Queue[DecoderProcess | None] = asyncio.Queue()
        self._closed = False
        self._processes: set[DecoderProcess] = set()
        self._watched: dict[DecoderProcess, int] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._recycling = asyncio.Lock()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children, busy or idle."""
        return sorted(process.pid for process in self._processes)

    async def start(self) -> None:
        """Start all processes and wait until each has built its context.

        Raises:
            PoolError: one did not come up. The others have been ended.
        """
        started = await asyncio.gather(*(self._started() for _ in range(self._size)), return_exceptions=True)
        for outcome in started:
            if isinstance(outcome, BaseException):
                await self.close()
                raise outcome
            self._idle.put_nowait(outcome)

    async def close(self) -> None:
        """End all processes and wait for them. Jobs under way or waiting raise PoolError."""
        self._closed = True
        self._idle.put_nowait(None)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        # Calls end with their processes, and their callers hear of it.
        await asyncio.gather(*(self._discard(process) for process in tuple(self._processes)))

    async def run(
        self, job: Callable[[Any, *Ts], T], *arguments: *Ts, deadline: float, limit: float = math.inf
    ) -> T:
        """Do `job(context, *arguments)` in a process; a process that ends over it costs one retry.

        A caller that is cancelled, or whose deadline passes, leaves the process at work: it is free again when the
        job is done, or killed when the job has had its limit. Starting another would cost more than that.

        Args:
            job: a module's function. For its arguments and its result see `wire.encode`.
            deadline: on the clock of `time.monotonic()`, seconds.
            limit: seconds the job may take in its process, not counting the wait for one; without one, as long
                as there is until the deadline.

        Raises:
            JobTimeoutError: the deadline or the limit passed.
            JobCrashedError: two processes ended over it.
            JobFailedError: the job raised.
            PoolError: the pool has been closed.
        """
        tries = 0
        while tries < 2:
            process = await self._acquire(deadline)
            left = max(deadline - time.monotonic(), 0.0)
            allowed = limit if math.isfinite(limit) else left
            answer = self._begun(process, pack(job, arguments, allowed), allowed)
            # Not cancelled with its caller; nor is a future of its own needed for that, as with `asyncio.shield`. Where
            # the limit passes before the deadline, it ends the job and so the wait.
            await asyncio.wait((answer,), timeout=left if allowed > left else None)
            if not answer.done():
                self.counters.timeouts += 1
                raise JobTimeoutError("the deadline passed in a decoder process")
            try:
                result: T = answer.result()
            except ProcessDiedError as error:
                # One that had not begun ended over something else, which costs the job no try.
                tries += error.began
                self.counters.crashes += error.began
                _log.warning("decoder process %d ended", process.pid)
            else:
                return result
            finally:
                # A future that holds an exception, whose traceback holds this frame, must not be held by it: the
                # picture would stay until garbage collection finds the cycle.
                del answer
        raise JobCrashedError("two decoder processes ended over the same job")

    async def _acquire(self, deadline: float) -> DecoderProcess:
        self.counters.waiting += 1
        try:
            while True:
                process = await self._next_idle(deadline)
                if process is None:
                    self._idle.put_nowait(None)
                    raise PoolError("the decoder pool has been closed")
                if process.alive():
                    return process
                # It ended between two jobs, which costs none of them a try.
                self.counters.idle_exits += 1
                self._in_background(self._replace(process))
        except TimeoutError as error:
            self.counters.timeouts += 1
            raise JobTimeoutError("no decoder process became free in time") from error
        finally:
            self.counters.waiting -= 1

    async def _next_idle(self, deadline: float) -> DecoderProcess | None:
        # A timer is only set where there is something to wait for.
        if not self._idle.empty():
            return self._idle.get_nowait()
        async with asyncio.timeout(deadline - time.monotonic()):
            return await self._idle.get()

    def _begun(self, process: DecoderProcess, request: Request, allowed: float) -> asyncio.Future[Any]:
        """Have a process do a job, whoever still waits for it; it is given back when it has answered."""
        answer = process.call(request)
        self.counters.running += 1
        timer = asyncio.get_running_loop().call_later(allowed, self._late, process, answer)
        answer.add_done_callback(partial(self._ended, process, timer))
        return answer

    def _late(self, process: DecoderProcess, answer: asyncio.Future[Any]) -> None:
        # Where it is the loop that was late, as after a freeze, the answer is there and has yet to be heard: uvloop
        # looks at its timers first.
        asyncio.get_running_loop().call_later(_TICK, self._overran, process, answer)

    def _overran(self, process: DecoderProcess, answer: asyncio.Future[Any]) -> None:
        if not answer.done():
            self.counters.timeouts += 1
            process.give_up(JobTimeoutError("a decoder process did not answer in time"))

    def _ended(
        self, process: DecoderProcess, timer: asyncio.TimerHandle, answer: asyncio.Future[Any]
    ) -> None:
        timer.cancel()
        self.counters.running -= 1
        # Its error is of no interest where the caller has left.
        answer.exception()
        self._release(process)

    def _release(self, process: DecoderProcess) -> None:
        if self._closed:
            return
        if process.retired:
            self._in_background(self._discard(process))
        elif process.killed:
            self._in_background(self._replace(process))
        else:
            self._idle.put_nowait(process)
            if process.tasks % self._tasks_per_process == 0:
                self._in_background(self._recycle(process))

    async def _replace(self, old: DecoderProcess) -> None:
        """Start a process in place of one that has ended, again and again if need be."""
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
        self._idle.put_nowait(new)

    async def _recycle(self, old: DecoderProcess) -> None:
        """Start a process first and end the old one then, one at a time: there is never one too few."""
        async with self._recycling:
            try:
                new = await self._started()
            except PoolError as error:
                _log.error("%s; the old one goes on", error)
                return
        self.counters.restarts += 1
        old.retired = True
        if self._take_out(old):
            self._in_background(self._discard(old))
        self._idle.put_nowait(new)

    def _take_out(self, one: DecoderProcess) -> bool:
        """Take a process out of the queue of idle ones; whether it was there."""
        found = False
        # No await in this loop, so nobody sees the queue half turned.
        for _ in range(self._idle.qsize()):
            process = self._idle.get_nowait()
            if process is one:
                found = True
            else:
                self._idle.put_nowait(process)
        return found

    def _watch(self, process: DecoderProcess) -> None:
        """Hear of a process's end at once, also while it is idle. Where the system cannot tell, the next job
        that would have it finds out."""
        if hasattr(os, "pidfd_open"):
            handle = os.pidfd_open(process.pid)
            self._watched[process] = handle
            asyncio.get_running_loop().add_reader(handle, self._on_end, process)

    def _unwatch(self, process: DecoderProcess) -> None:
        handle = self._watched.pop(process, None)
        if handle is not None:
            asyncio.get_running_loop().remove_reader(handle)
            os.close(handle)

    def _on_end(self, process: DecoderProcess) -> None:
        self._unwatch(process)
        # A process that ends at work is replaced when its call is over.
        if not self._closed and self._take_out(process):
            self.counters.idle_exits += 1
            _log.warning("decoder process %d ended while idle", process.pid)
            self._in_background(self._replace(process))

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
                raise PoolError(f"a decoder process did not come up: {error}") from error
            raise
        self._watch(process)
        return process

    async def _discard(self, process: DecoderProcess) -> None:
        self._unwatch(process)
        process.kill()
        process.hang_up()
        # The kernel may take a moment to give back what the process had.
        await asyncio.to_thread(process.reap)
        self._processes.discard(process)

    def _in_background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task
