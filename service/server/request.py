"""The work of one request: admission, upload, deadline, and cancellation when its client disconnects."""

import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request

from service.errors import ServiceError
from service.pipeline.admission import Gate
from service.pipeline.metrics import Stages
from service.pipeline.runtime import Services, Task
from service.server.bodies import Item, check_kind, image_of, images_of, read_body
from service.server.deadline import Watch
from service.settings import Settings

T = TypeVar("T")
B = TypeVar("B")


async def serve(request: Request, work: Callable[[Task], Coroutine[Any, Any, T]]) -> T:
    """Take a request with one image through admission and upload, and do its work within its deadline.

    Raises:
        ServiceError: as `_served` and `image_of` do, or whatever `work` raises.
    """
    kind = request.headers.get("content-type")
    check_kind(kind)
    return await _served(request, lambda body: image_of(kind, body), lambda task, _: work(task))


async def serve_batch(request: Request, work: Callable[[Task, list[Item]], Coroutine[Any, Any, T]]) -> T:
    """The same of a request with several images; `work` gets a task without data that all of them share.

    Raises:
        ServiceError: as `_served` and `images_of` do, or whatever `work` raises.
    """
    kind = request.headers.get("content-type")
    check_kind(kind, batch=True)
    return await _served(request, lambda body: images_of(kind, body), work)


async def _served(
    request: Request,
    parse: Callable[[bytes], B],
    work: Callable[[Task, B], Coroutine[Any, Any, T]],
) -> T:
    """Admission, upload, work, each within its time.

    Raises:
        ServiceError: as `Entry` and `read_body` do, `upload_timeout`, `deadline_exceeded`, `client_closed_request`, or
            whatever `parse` or `work` raises.
    """
    services: Services = request.app.state.services
    gate: Gate = request.app.state.gate
    stages: Stages = request.state.stages
    settings = services.settings
    try:
        if services.engine.lost:
            raise ServiceError("not_ready", "the engine has ended", retry_after=5, reason="not_ready")
        declared = _declared(request, settings.max_body_bytes)
        with gate.entry(declared) as entry, Watch(request.receive) as watch:
            with stages("upload"):
                watch.until(time.monotonic() + settings.upload_timeout_s, partial(_not_sent, settings))
                content = parse(await read_body(request, entry.arrived))
            entry.take_place()
            task = Task.of(services, content if isinstance(content, bytes) else b"", stages)
            watch.until(task.deadline, _not_finished, listen=True)
            return await work(task, content)
    except ServiceError as error:
        if error.reason is not None:
            services.metrics.rejected.labels(error.reason).inc()
        raise


def _declared(request: Request, most: int) -> int:
    """Length of the body that the client declares, in bytes; without a declaration, the most that it may send."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else most


def _not_sent(settings: Settings) -> ServiceError:
    return ServiceError("upload_timeout", f"the body did not arrive within {settings.upload_timeout_s:g} s")


def _not_finished() -> ServiceError:
    return ServiceError("deadline_exceeded", "not finished within the deadline", reason="deadline")
