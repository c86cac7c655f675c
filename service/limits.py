"""What the service refuses, and when: bytes, places, time, and work for clients that have left."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.admission import Gate
from service.errors import ServiceError
from service.metrics import Stages
from service.problems import problem
from service.services import Services, Task
from service.uploads import read_upload

T = TypeVar("T")

_WATCHED_AFTER_S = 0.05
"""Seconds of work after which a client's departure is looked out for. Most answers are there sooner, and looking out
takes a task of its own."""


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


async def serve(request: Request, work: Callable[[Task], Coroutine[Any, Any, T]]) -> T:
    """Take a request through admission and upload, and do its work within its deadline.

    Raises:
        ServiceError: as `Gate.place`, `read_upload` and `finish` do.
    """
    services: Services = request.app.state.services
    gate: Gate = request.app.state.gate
    stages: Stages = request.state.stages
    settings = services.settings
    try:
        if services.engine.lost:
            raise ServiceError("not_ready", "the engine has ended", retry_after=5, reason="not_ready")
        with gate.place(_declared(request, settings.max_body_bytes)):
            with stages("upload"):
                data = await read_upload(request, timeout=settings.upload_timeout_s)
            task = Task.of(services, data, stages)
            return await finish(request, work(task), task.deadline)
    except ServiceError as error:
        if error.reason is not None:
            services.metrics.rejected.labels(error.reason).inc()
        raise


def _declared(request: Request, most: int) -> int:
    """Bytes of the body that the client declares; without a declaration, as many as it may send."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else most


async def finish(request: Request, work: Coroutine[Any, Any, T], deadline: float) -> T:
    """Await `work` until it is done, its deadline passes or the client leaves; then cancel it.

    The request's body must have been read: what is received after it is the client's departure.

    Args:
        deadline: on the clock of `time.monotonic()`.

    Raises:
        ServiceError: `deadline_exceeded` or `client_closed_request`, or whatever `work` raises.
    """
    here = asyncio.current_task()
    assert here is not None  # noqa: S101 - for the type checker; coroutines run in tasks
    waiting = True

    def leave(departure: asyncio.Task[None]) -> None:
        # Not once the work is done: it would cancel the answer.
        if waiting and not departure.cancelled():
            here.cancel()

    gone: asyncio.Task[None] | None = None

    def watch() -> None:
        nonlocal gone
        gone = asyncio.create_task(_departure(request))
        gone.add_done_callback(leave)

    timer = asyncio.get_running_loop().call_later(_WATCHED_AFTER_S, watch)
    try:
        async with asyncio.timeout(max(deadline - time.monotonic(), 0)) as time_left:
            return await work
    except TimeoutError as error:
        if not time_left.expired():
            raise
        raise ServiceError(
            "deadline_exceeded", "not finished within the deadline", reason="deadline"
        ) from error
    except asyncio.CancelledError as error:
        if gone is None or not gone.done() or here.uncancel():
            raise
        raise ServiceError("client_closed_request", "the client closed the connection") from error
    finally:
        waiting = False
        timer.cancel()
        if gone is not None:
            gone.cancel()


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
