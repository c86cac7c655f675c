"""Cancels the work of a request when its deadline passes or its client disconnects."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from starlette.types import Message, Receive

from service.errors import ServiceError

LOOK_S = 0.25
"""Seconds until a request is checked for the first time. Most are answered by then and have cost one timer, instead of
a timer for each limit and a task that waits for the client to disconnect."""


class Watch:
    """Context manager that cancels its task when a time limit passes or the client disconnects.

    At the end of the block the cancellation becomes a `ServiceError` with the reason. A cancellation from elsewhere is
    passed on. It can be entered once.
    """

    def __init__(self, receive: Receive) -> None:
        """`receive` is the request's; it is called only after `until` with `listen`."""
        self._receive = receive
        self._gone: asyncio.Task[None] | None = None
        self._looked = False
        self._listening = False
        self._by = float("inf")
        self._late: Callable[[], ServiceError] | None = None
        self._reason: ServiceError | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker; coroutines run in tasks
        self._task: asyncio.Task[Any] = task
        self._loop = asyncio.get_running_loop()
        self._looks_at = time.monotonic() + LOOK_S
        self._timer = self._loop.call_later(LOOK_S, self._look)
        return self

    def until(self, by: float, late: Callable[[], ServiceError], *, listen: bool = False) -> None:
        """Set the time limit, in place of an earlier one.

        Args:
            by: on the clock of `time.monotonic()`.
            late: gives the error that is raised after it.
            listen: whether the body has been read, so that the next message can only be a disconnect.
        """
        self._by, self._late, self._listening = by, late, listen
        if self._looked:
            self._look()
        elif by < self._looks_at:
            self._look_at(by)

    def _look_at(self, when: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(max(when - time.monotonic(), 0.0), self._look)

    def _look(self) -> None:
        self._looked = True
        if self._late is not None:
            if time.monotonic() >= self._by:
                self._end(self._late())
                return
            self._look_at(self._by)
        if self._listening and self._gone is None:
            self._gone = self._loop.create_task(self._departure())
            self._gone.add_done_callback(self._left)

    async def _departure(self) -> None:
        message: Message = await self._receive()
        while message["type"] != "http.disconnect":
            message = await self._receive()

    def _left(self, departure: asyncio.Task[None]) -> None:
        if not departure.cancelled():
            self._end(ServiceError("client_closed_request", "the client closed the connection"))

    def _end(self, reason: ServiceError) -> None:
        if self._reason is None:
            self._reason = reason
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._gone is not None:
            # Otherwise a disconnect would cancel the answer.
            self._gone.remove_done_callback(self._left)
            self._gone.cancel()
        if kind is asyncio.CancelledError and self._reason is not None and not self._task.uncancel():
            raise self._reason from error
