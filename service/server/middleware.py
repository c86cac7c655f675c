"""ASGI middleware of the application: request log, API keys, limit of the body. They look at HTTP requests alone."""

import hmac
import logging
import time
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError
from service.logs import choose_id, request_id
from service.pipeline.metrics import Metrics, Stages
from service.server.problems import CODE_KEY, problem, unforeseen

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Added to every answer that does not set them itself."""

_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

_log = logging.getLogger("service.access")


class RequestLog:
    """Adds `X-Request-ID`, `Server-Timing` and security headers, counts the request, and writes its log line.

    An exception of the application is logged and answered with status 500; only cancellation is passed on.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        """`paths` have metric series of their own; all other paths share one."""
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
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


class ApiKeys:
    """Requires an API key on some paths: `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

    def __init__(
        self, app: ASGIApp, *, keys: tuple[bytes, ...], guarded: Iterable[str], metrics: Metrics
    ) -> None:
        """
        Args:
            keys: the accepted keys; without any, no path requires one.
            guarded: paths that require a key.
        """
        self._app = app
        self._keys = keys
        self._guarded = frozenset(guarded)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._keys and scope["path"] in self._guarded:
            # A browser's CORS preflight request carries no key.
            asks = scope["method"] == "OPTIONS"
            if not asks and not self._known(Headers(scope=scope)):
                self._metrics.rejected.labels("unauthorized").inc()
                refusal = ServiceError("unauthorized", "this service needs an API key")
                # Without this header the client would go on sending its body.
                headers = {"WWW-Authenticate": 'Bearer realm="qrsr"', "Connection": "close"}
                await problem(refusal, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _known(self, headers: Headers) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            sent = headers.get("x-api-key", "")
        given = sent.strip().encode("latin-1")
        # All keys are compared, so that the time taken does not depend on which one matches.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        return any(matches)


class BodyLimit:
    """Limits the body of every request.

    A declared length above the limit is refused before the body is read, a chunked body when it exceeds the limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            # Without this header the client would go on sending its body.
            await problem(self._too_large(), {"Connection": "close"})(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, counted, send)

    def _too_large(self) -> ServiceError:
        return ServiceError("body_too_large", f"the body is larger than {self._max_bytes} bytes")
