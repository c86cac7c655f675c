"""A decoder process as the event loop sees it: jobs go out, their futures have the answers."""

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
"""Seconds that a job has beyond its limit, to be heard."""
_LEAST = 0.1
"""Seconds that a job has even where its deadline is nearer, or has passed while it was in hand: starting another
process takes longer."""


@dataclass(slots=True, eq=False)
class Job:
    """One request on its way to a process, in its hands, or answered."""

    request: Request
    deadline: float
    """On the clock of `time.monotonic()`, seconds."""
    limit: float = math.inf
    """Seconds it may take in its process; without one, as long as there is until the deadline."""
    brief: bool = False
    """Whether it usually takes so little time that others may be in hand behind it."""
    answer: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), init=False
    )
    """May raise ProcessDiedError, where the process ended, by itself, by `kill` or by anybody else's hand;
    JobFailedError, where the job raised; JobTimeoutError, where it exceeded its limit. One that is done before, by
    somebody else's doing, stays as it is."""
    begun: bool = field(default=False, init=False)
    """Whether it is at the head of its process's jobs, so that its time runs."""

    def allowed(self) -> float:
        """Seconds it may take if it begins now."""
        if math.isfinite(self.limit):
            return self.limit
        return max(self.deadline - time.monotonic(), _LEAST)


class DecoderProcess(ChildProcess):
    """One child process that does one job after another. All methods belong to one event loop; none blocks but `reap`.

    It can be given jobs once `ready` has returned.
    """

    _conversation: "_Conversation | None" = None
    tasks = 0
    """Jobs given to it so far."""
    ending: Literal["idle", "at work", "late"] | None = None
    """How it has ended: without a job, over one, or by us since one exceeded its limit."""
    on_change: Callable[["DecoderProcess"], None] | None = None
    """Called when a job has ended, and when the process has: see `ending`."""

    async def ready(self) -> None:
        """Hand over the factory and wait for the context.

        Raises:
            ProcessDiedError: it could not be built; the reason is on the child's standard error.
        """
        loop = asyncio.get_running_loop()
        _, conversation = await loop.create_unix_connection(lambda: _Conversation(self), sock=self.channel)
        self._conversation = conversation
        setup = Job(self.setup, math.inf)
        conversation.take(setup)
        await setup.answer

    @property
    def jobs(self) -> int:
        """Jobs in its hands, the one it is at included."""
        return 0 if self._conversation is None else len(self._conversation.jobs)

    def has_room(self, most: int) -> bool:
        """Whether it is to be given another job: it has none, or fewer than `most` and nothing but brief ones."""
        if self.ending is not None or self._conversation is None:
            return False
        jobs = self._conversation.jobs
        # Nothing comes after one that is not.
        return not jobs or (len(jobs) < most and jobs[-1].brief)

    def take(self, job: Job) -> None:
        """Have it do a job after those in its hands."""
        assert self._conversation is not None  # noqa: S101 - for the type checker; see `ready`
        self.tasks += 1
        self._conversation.take(job)

    def hang_up(self) -> None:
        """Close the channel; answers that are still awaited are ProcessDiedError."""
        if self._conversation is None:
            self.channel.close()
        else:
            self._conversation.end()

    def changed(self) -> None:
        """Tell whoever wants to know."""
        if self.on_change is not None:
            self.on_change(self)


class _Conversation(asyncio.Protocol):
    """What is said over the channel of one process: answers come in the order of the requests."""

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
        # Where it ended with (part of) a request unread, Linux resets the connection or breaks the pipe; elsewhere
        # the end looks like any other, and costs the job one of its tries. Where more than one is in its hands, it may
        # have been at the first of them all the same.
        self._lost(began=exc is None or len(self.jobs) > 1)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        try:
            while (whole := messages.split(self._heard)) is not None:
                self._answered(*whole)
            if self._heard and not self.jobs:
                raise messages.WireError("nothing was asked")
        except messages.WireError:
            # What it said makes no sense, so it is not to be asked again.
            self._lost(began=True)

    def _answered(self, header: bytearray, blobs: bytearray) -> None:
        if not self.jobs:
            raise messages.WireError("nothing was asked")
        answer: Any = None
        failure: JobFailedError | None = None
        try:
            answer = self.jobs[0].request.answered(header, blobs)
        except JobFailedError as error:
            # The traceback would hold this frame, and with it the picture.
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
        """The process is at this job now, or at none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if job is not None:
            job.begun = True
            if math.isfinite(allowed := job.allowed()):
                self._timer = self._loop.call_later(allowed, self._late)

    def _late(self) -> None:
        # Where it is the loop that was late, as after a freeze, the answer is there and has yet to be heard: uvloop
        # looks at its timers first.
        self._timer = self._loop.call_later(_TICK, self._overran)

    def _overran(self) -> None:
        answer = self.jobs[0].answer
        if not answer.done():
            answer.set_exception(JobTimeoutError("a decoder process did not answer in time"))
        self._process.ending = "late"
        self._lost(began=True)

    def _lost(self, *, began: bool) -> None:
        """The process has ended, or has to; `began` is of the first job in its hands."""
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
