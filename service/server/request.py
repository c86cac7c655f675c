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
from service.server.deadline import Watch
from service.server.multipart import read_upload
from service.settings import Settings

T = TypeVar("T")


async def serve(request: Request, work: Callable[[Task], Coroutine[Any, Any, T]]) -> T:
    """Admit a request, read its upload, and do its work before its deadline.

    Raises:
        ServiceError: as `Entry` and `read_upload` do, `upload_timeout`, `deadline_exceeded`,
            `client_closed_request`, or whatever `work` raises.
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
                data = await read_upload(request, entry.arrived)
            entry.take_place()
            task = Task.of(services, data, stages)
            watch.until(task.deadline, _not_finished, listen=True)
            return await work(task)
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
