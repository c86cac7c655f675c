"""What the routes work with: one set an application, built when it starts and closed when it ends."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from starlette.requests import Request

from model_store.contract import Image
from service.batching import EngineThread
from service.decoding.cascade import DecodeResult, Upscale
from service.limits import Gate, finish
from service.metrics import Metrics, Stages
from service.schemas import DecoderState
from service.settings import Settings
from service.uploads import read_upload
from service.upscaler import Upscaler

P = ParamSpec("P")
T = TypeVar("T")


class Decoder(Protocol):
    """Reads symbols, out of process."""

    async def start(self) -> None:
        """Start the children and wait until they can read."""
        ...

    async def stop(self) -> None: ...

    def state(self) -> DecoderState: ...

    async def decode(self, image: Image, *, upscale: Upscale | None, deadline: float) -> DecodeResult: ...


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    metrics: Metrics
    gate: Gate
    executor: ThreadPoolExecutor
    """For image coding and the like; as many threads as requests are worked on."""
    engine: EngineThread
    upscaler: Upscaler
    decoder: Decoder

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that computes for long, away from the event loop."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.executor, call)


@dataclass(frozen=True, slots=True)
class Task:
    """One admitted request."""

    data: bytes
    """The upload."""
    deadline: float
    """On the clock of `time.monotonic()`."""
    stages: Stages
    services: Services


async def serve(request: Request, work: Callable[[Task], Coroutine[Any, Any, T]]) -> T:
    """Take a request through admission, upload and queue, and do its work within its deadline.

    Raises:
        ServiceError: as `Gate.place`, `read_upload` and `finish` do.
    """
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    settings = services.settings
    with services.gate.place():
        with stages("upload"):
            data = await read_upload(request, timeout=settings.upload_timeout_s)
        task = Task(data, time.monotonic() + settings.deadline_s, stages, services)

        async def in_turn() -> T:
            with stages("wait"):
                await services.gate.slots.acquire()
            try:
                return await work(task)
            finally:
                services.gate.slots.release()

        return await finish(request, in_turn(), task.deadline)
