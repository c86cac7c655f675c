"""ASGI layer around everything: request id, timings, access log, metrics, and the last resort for
failures."""

import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import choose_id, request_id
from service.pipeline.metrics import Metrics, Stages
from service.server.api_keys import SECURITY_HEADERS
from service.server.problems import CODE_KEY, problem, unforeseen

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})

_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

_log = logging.getLogger("service.access")


class Observe:
    """Sets `X-Request-ID`, `Server-Timing` and the security headers; no exception passes it but cancellation."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        """`paths` are those with series of their own in the metrics; all others share one."""
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        identity = choose_id(Headers(scope=scope).get("x-request-id"))
        token = request_id.set(identity)
        stages = Stages(self._metrics)
        scope.setdefault("state", {})["stages"] = stages
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                timing = stages.server_timing(time.perf_counter() - started)
                headers = message["headers"]
                chosen = dict(headers)
                message["headers"] = [
                    *headers,
                    (b"x-request-id", identity.encode()),
                    (b"server-timing", timing.encode()),
                    *(header for header in _SECURITY if header[0] not in chosen),
                ]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception:
            _log.exception("unforeseen failure")
            if not status:
                await problem(unforeseen())(scope, receive, observed)
        finally:
            self._record(scope, status, time.perf_counter() - started)
            request_id.reset(token)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        code: str | None = scope["state"].get(CODE_KEY)
        route = scope["path"] if scope["path"] in self._paths else "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if code is not None:
            self._metrics.errors.labels(code).inc()
        level = logging.DEBUG if route in _QUIET else logging.INFO
        extra = {"route": route, "method": method, "status": status, "ms": round(seconds * 1e3, 1)}
        if code is not None:
            extra["code"] = code
        _log.log(level, "answered", extra=extra)
