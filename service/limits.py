"""What the service refuses, and when: bytes, places, time, and work for clients that have left."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError, problem

T = TypeVar("T")


class BodyLimit:
    """ASGI layer that bounds every request's body, outside of whatever parses it.

    A declared length is refused before a byte is read; an undeclared one (chunked) when it passes the bound.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = ServiceError("body_too_large", f"the body is larger than {self._max_bytes} bytes")
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            # The rest of the body is not wanted: say so, or the client goes on sending it.
            await problem(too_large, {"Connection": "close"})(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise too_large
            return message

        await self._app(scope, counted, send)


class Gate:
    """The one gate in front of all work: a few requests are worked on, some wait, the rest is refused at
    once."""

    def __init__(self, *, concurrency: int, queue: int) -> None:
        self.slots = asyncio.Semaphore(concurrency)
        """Held while a request is worked on; first come, first served."""
        self._places = concurrency + queue
        self._taken = 0

    @property
    def taken(self) -> int:
        """Requests admitted and not yet answered."""
        return self._taken

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place inside, before the body is read.

        Raises:
            ServiceError: `overloaded`, at once, when every place is taken.
        """
        if self._taken >= self._places:
            raise ServiceError("overloaded", "too many requests at the same time", retry_after=1)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


async def finish(request: Request, work: Coroutine[Any, Any, T], deadline: float) -> T:
    """Await `work` until it is done, its deadline passes or the client leaves; then cancel it.

    The request's body must have been read: what is received after it is the client's departure.

    Args:
        deadline: on the clock of `time.monotonic()`.

    Raises:
        ServiceError: `deadline_exceeded` or `client_closed_request`, or whatever `work` raises.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_departure(request))
    try:
        await asyncio.wait(
            {task, gone}, timeout=max(deadline - time.monotonic(), 0), return_when=asyncio.FIRST_COMPLETED
        )
        if task.done():
            return task.result()
        if gone.done():
            raise ServiceError("client_closed_request", "the client closed the connection")
        raise ServiceError("deadline_exceeded", "not finished within the deadline")
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
