"""The application: put together here, started and stopped by its lifespan."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from starlette.routing import Route

from service import errors
from service.batching import EngineThread
from service.cpus import usable_cpus
from service.engine import OnnxEngine, UpscaleEngine
from service.health import readiness
from service.limits import BodyLimit, Gate
from service.metrics import Metrics
from service.observe import Observe
from service.readers import DecoderProcesses
from service.released import version_folder
from service.routes import decode, ops, upscale
from service.schemas import Problem
from service.services import Decoder, Services
from service.settings import Settings
from service.upscaler import Upscaler
from service.warmup import warm_up

_LAG_PERIOD_S = 0.5
_NO_HURRY = {"deadline_s": 60.0, "max_upscale_pixels": 1_000_000, "max_decode_pixels": 1_000_000}

_log = logging.getLogger(__name__)

EngineFactory = Callable[[Settings], UpscaleEngine]
DecoderFactory = Callable[[Settings], Decoder]


def build_engine(settings: Settings) -> UpscaleEngine:
    """The released generator that the settings name.

    Raises:
        ManifestError, EngineError: see `OnnxEngine`.
    """
    folder = version_folder(settings.model_store, settings.model, settings.model_version)
    return OnnxEngine(
        folder, device=settings.device, threads=settings.threads or usable_cpus(), tile=settings.tile
    )


def create_app(
    settings: Settings,
    *,
    engine: EngineFactory = build_engine,
    decoder: DecoderFactory = DecoderProcesses,
) -> FastAPI:
    """The application. Nothing is loaded before its lifespan starts, and a failure there ends the process.

    Args:
        settings: see `Settings`.
        engine, decoder: how these two are built; tests put their own in.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _started(settings, metrics, engine, decoder) as services:
            # The warm-up is slow and is nobody's request: the limits are not for it.
            app.state.services = replace(services, settings=settings.model_copy(update=_NO_HURRY))
            await warm_up(app)
            metrics.forget()
            app.state.services = services
            state = readiness(services)
            metrics.model.info(
                {
                    "name": state.model.name,
                    "version": str(state.model.version),
                    "sha256": state.model.sha256,
                    "provider": state.provider,
                }
            )
            _log.info("ready" if state.ready else "not ready", extra={"state": state.model_dump()})
            yield

    app = FastAPI(
        title="QR Super-Resolution",
        description="Reads QR codes that are too small, blurred or compressed for other readers.",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
    )
    mounted = [(prefix, router()) for prefix in ("", "/v1") for router in (upscale.router, decode.router)]
    mounted.append(("", ops.router()))
    for prefix, routes in mounted:
        app.include_router(routes, prefix=prefix)
    paths = frozenset(
        prefix + route.path
        for prefix, routes in mounted
        for route in routes.routes
        if isinstance(route, Route)
    )
    errors.install(app)
    _describe_problems(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(Observe, metrics=metrics, paths=paths)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the form of failures, which no route returns, among OpenAPI's schemas."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        return document

    # FastAPI documents this as the way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


@asynccontextmanager
async def _started(
    settings: Settings, metrics: Metrics, engine: EngineFactory, decoder: DecoderFactory
) -> AsyncIterator[Services]:
    concurrency = settings.concurrency or usable_cpus() + 1
    async with AsyncExitStack() as stack:
        executor = ThreadPoolExecutor(concurrency, thread_name_prefix="images")
        stack.callback(executor.shutdown)
        readers = decoder(settings)
        stack.push_async_callback(readers.stop)
        loop = asyncio.get_running_loop()
        # The children start while the model loads: both take about as long.
        starting = asyncio.create_task(readers.start())
        try:
            built = await loop.run_in_executor(executor, engine, settings)
        finally:
            await asyncio.wait({starting})
        starting.result()
        thread = EngineThread(built, capacity=concurrency + settings.queue, observe=metrics.stage)
        thread.start()
        stack.callback(thread.stop)
        lag = asyncio.create_task(_watch_lag(metrics))
        stack.push_async_callback(_cancel, lag)
        yield Services(
            settings=settings,
            metrics=metrics,
            gate=Gate(concurrency=concurrency, queue=settings.queue),
            executor=executor,
            engine=thread,
            upscaler=Upscaler(thread, executor, tile=settings.tile),
            decoder=readers,
        )


async def _watch_lag(metrics: Metrics) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(_LAG_PERIOD_S)
        metrics.loop_lag.set(max(time.monotonic() - before - _LAG_PERIOD_S, 0.0))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
