"""A decoder process seen from the event loop: it is given jobs, and their futures receive the answers."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from service.decoding.processes import messages
from service.decoding.processes.child import ChildProcess, Request
from service.decoding.processes.errors import JobFailedError, JobTimeoutError, ProcessDiedError

_TICK = 0.05
"""Seconds after a job's limit in which its answer may still be read."""
_LEAST = 0.1
"""Least seconds of a job, even where its deadline is nearer or has passed in the queue: a new process would take
longer to start."""


@dataclass(slots=True, eq=False)
class Job:
    """A request that waits, is queued in a process, or has been answered."""

    request: Request
    deadline: float
    """On the clock of `time.monotonic()`, seconds."""
    limit: float = math.inf
    """Seconds it may take in its process; without a limit, until the deadline."""
    brief: bool = False
    """Whether it is usually so quick that other jobs may be queued behind it."""
    answer: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), init=False
    )
    """Raises ProcessDiedError if the process ended for whatever reason, JobFailedError if the job raised,
    JobTimeoutError if it exceeded its limit. If others have set its result before, that is kept."""
    begun: bool = field(default=False, init=False)
    """Whether its process has started it, so that its time runs."""

    def allowed(self) -> float:
        """Seconds it may take if it starts now."""
        if math.isfinite(self.limit):
            return self.limit
        return max(self.deadline - time.monotonic(), _LEAST)


class DecoderProcess(ChildProcess):
    """A child process that does one job after another, once `ready` has returned.

    All methods belong to one event loop; only `reap` blocks.
    """

    _conversation: "_Conversation | None" = None
    tasks = 0
    """Number of jobs given to it so far."""
    ending: Literal["idle", "at work", "late"] | None = None
    """How it ended: without a job, during one, or killed because one exceeded its limit."""
    on_change: Callable[["DecoderProcess"], None] | None = None
    """Called when a job has ended, and when the process has ended: see `ending`."""

    async def ready(self) -> None:
        """Send the setup and wait until the context is built.

        Raises:
            ProcessDiedError: it could not be built; the child has written the reason to standard error.
        """
        loop = asyncio.get_running_loop()
        _, conversation = await loop.create_unix_connection(lambda: _Conversation(self), sock=self.channel)
        self._conversation = conversation
        setup = Job(self.setup, math.inf)
        conversation.take(setup)
        await setup.answer

    @property
    def jobs(self) -> int:
        """Number of jobs queued in it, the running one included."""
        return 0 if self._conversation is None else len(self._conversation.jobs)

    def has_room(self, most: int) -> bool:
        """Whether it takes another job: it has none, or fewer than `most` that are all brief."""
        if self.ending is not None or self._conversation is None:
            return False
        jobs = self._conversation.jobs
        # Only the last one can be a job that is not brief.
        return not jobs or (len(jobs) < most and jobs[-1].brief)

    def take(self, job: Job) -> None:
        """Queue a job behind the others."""
        assert self._conversation is not None  # noqa: S101 - for the type checker; see `ready`
        self.tasks += 1
        self._conversation.take(job)

    def hang_up(self) -> None:
        """Close the channel; jobs without an answer raise ProcessDiedError."""
        if self._conversation is None:
            self.channel.close()
        else:
            self._conversation.end()

    def changed(self) -> None:
        """Call `on_change`."""
        if self.on_change is not None:
            self.on_change(self)


class _Conversation(asyncio.Protocol):
    """The protocol on the channel of a process: answers arrive in the order of the requests."""

    def __init__(self, process: DecoderProcess) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._heard = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self.jobs: deque[Job] = deque()

    def take(self, job: Job) -> None:
        self.jobs.append(job)
        if self._transport is None or self._transport.is_closing():
            self._lost(began=len(self.jobs) > 1)
            return
        self._transport.writelines(job.request.parts)
        if len(self.jobs) == 1:
            self._begin(job)

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # If the process ended before it had read the whole request, Linux reports a reset connection or a broken pipe.
        # On other systems the end looks the same in any case, and the job loses one of its tries. With several queued
        # jobs, the process may have been at the first one although later ones were unread.
        self._lost(began=exc is None or len(self.jobs) > 1)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        try:
            while (whole := messages.split(self._heard)) is not None:
                self._answered(*whole)
            if self._heard and not self.jobs:
                raise messages.WireError("an answer without a request")
        except messages.WireError:
            # The process sent something invalid, so it gets no more jobs.
            self._lost(began=True)

    def _answered(self, header: bytearray, blobs: bytearray) -> None:
        if not self.jobs:
            raise messages.WireError("an answer without a request")
        answer: Any = None
        failure: JobFailedError | None = None
        try:
            answer = self.jobs[0].request.answered(header, blobs)
        except JobFailedError as error:
            # The traceback would keep this frame, and so the picture, in memory.
            failure = error.with_traceback(None)
        job = self.jobs.popleft()
        self._begin(self.jobs[0] if self.jobs else None)
        if not job.answer.done():
            if failure is None:
                job.answer.set_result(answer)
            else:
                job.answer.set_exception(failure)
        self._process.changed()

    def _begin(self, job: Job | None) -> None:
        """Note that the process starts this job now, or has none left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if job is not None:
            job.begun = True
            if math.isfinite(allowed := job.allowed()):
                self._timer = self._loop.call_later(allowed, self._late)

    def _late(self) -> None:
        # If the event loop was late, the answer may be there already and unread, since uvloop runs timers first. So it
        # gets one more moment.
        self._timer = self._loop.call_later(_TICK, self._overran)

    def _overran(self) -> None:
        answer = self.jobs[0].answer
        if not answer.done():
            answer.set_exception(JobTimeoutError("a decoder process did not answer in time"))
        self._process.ending = "late"
        self._lost(began=True)

    def _lost(self, *, began: bool) -> None:
        """Fail all jobs of a process that has ended or is to be killed.

        Args:
            began: whether it had started the first of its jobs.
        """
        if self._process.ending is None:
            self._process.ending = "at work" if self.jobs else "idle"
        self._process.kill()
        self._begin(None)
        while self.jobs:
            job = self.jobs.popleft()
            if not job.answer.done():
                job.answer.set_exception(ProcessDiedError(self._process.pid, began=began))
            began = False
        self._process.changed()
