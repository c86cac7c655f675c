"""The ASGI application: routes, middleware, and a lifespan that starts and stops the services."""

import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.routing import Route

from service.generator.store import build_engine
from service.pipeline.admission import Gate
from service.pipeline.decoder import DecoderProcesses
from service.pipeline.metrics import Metrics
from service.pipeline.runtime import DecoderFactory, EngineFactory, opened
from service.server import event_loop_lag, openapi, problems, tracing
from service.server.api_keys import load_keys, origins
from service.server.middleware import ApiKeys, BodyLimit, RequestLog
from service.server.prometheus import Gather, own_only
from service.server.readiness import readiness
from service.server.routes import decode, monitoring, playground, upscale
from service.server.warmup import warm_up
from service.settings import Settings

_PREFIXES = ("/v1", "")
_NO_HURRY = {"deadline_s": 60.0, "max_upscale_pixels": 1_000_000, "max_decode_pixels": 1_000_000}

_log = logging.getLogger(__name__)

App = FastAPI
"""What `create_app` returns, under a name for folders that do not import the framework."""


def create_app(
    settings: Settings,
    *,
    engine: EngineFactory = build_engine,
    decoder: DecoderFactory = DecoderProcesses,
    gather: Gather = own_only,
) -> FastAPI:
    """Build the application. Its lifespan loads the model and starts the processes; a failure there ends the process.

    Args:
        settings: see `Settings`.
        engine, decoder: build the engine and the decoder; tests pass stubs.
        gather: gives the text of `/metrics`; by default, the metrics of this process.

    Raises:
        KeysError: the API keys in the settings cannot be used.
    """
    metrics = Metrics()
    keys = load_keys(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, metrics, engine=engine, decoder=decoder, on_lost=_end) as services:
            app.state.gate = Gate(
                places=services.turns.total + settings.queue, bytes_inside=settings.max_bytes_inside
            )
            # The first requests are slow: the limits for clients do not apply to the warm-up.
            app.state.services = replace(services, settings=settings.model_copy(update=_NO_HURRY))
            await warm_up(app, key=keys[0] if keys else b"")
            metrics.forget()
            app.state.services = services
            state = readiness(services)
            metrics.places.set(app.state.gate.places)
            metrics.engine_lanes.set(services.engine.lanes)
            metrics.model.info(
                {
                    "name": state.model.name,
                    "version": str(state.model.version),
                    "sha256": state.model.sha256,
                    "provider": state.provider,
                }
            )
            _log.info("ready" if state.ready else "not ready", extra={"state": state.model_dump()})
            async with event_loop_lag.watched(metrics.loop_lag.observe):
                yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False, **openapi.ABOUT)
    app.router.routes += [decode.route(prefix) for prefix in _PREFIXES]
    mounted = [(prefix, router()) for prefix in _PREFIXES for router in (upscale.router, decode.router)]
    mounted += [("", monitoring.router(gather)), ("", playground.router(needs_key=bool(keys)))]
    for prefix, routes in mounted:
        # Paths without a version are for a quick try.
        versioned = bool(prefix) or routes.tags != ["images"]
        app.include_router(routes, prefix=prefix, include_in_schema=versioned)
    app.router.routes += playground.files()
    paths = {
        prefix + route.path: route
        for prefix, routes in mounted
        for route in routes.routes
        if isinstance(route, Route)
    }
    guarded = {path for path, route in paths.items() if "POST" in (route.methods or ())}
    if settings.metrics_need_key:
        guarded.add("/metrics")
    problems.install(app)
    openapi.install(app)
    # The middleware added last is the outermost.
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(ApiKeys, keys=keys, guarded=guarded, metrics=metrics)
    if allowed := origins(settings):
        app.add_middleware(
            CORSMiddleware,
            allow_origins=allowed,
            allow_methods=["POST"],
            allow_headers=["Authorization", "X-API-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Server-Timing", "Retry-After", upscale.RESTORED],
        )
    app.add_middleware(RequestLog, metrics=metrics, paths=frozenset(paths))
    if settings.tracing_endpoint:
        app.add_middleware(tracing.Tracing, provider=tracing.provider(settings), paths=frozenset(paths))
    return app


def _end() -> None:
    """Stop this process gracefully after its engine has failed permanently."""
    os.kill(os.getpid(), signal.SIGTERM)
