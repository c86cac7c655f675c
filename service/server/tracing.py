"""A span for each request, for an OpenTelemetry collector: off unless a setting names one.

A span has what the access log has: route, method, status, request id, the time of each stage. Nothing of an upload or
of a payload. What came with `traceparent` (W3C Trace Context) is gone on with.
"""

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import VERSION
from service.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME = "qr-super-resolution"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""What is asked every few seconds and tells nothing."""


class TracingError(Exception):
    """Tracing is asked for, and the packages that it needs are not installed."""


def provider(settings: Settings) -> "TracerProvider":
    """What makes spans and sends them, from a thread of its own; one that cannot be sent is dropped.

    Raises:
        TracingError: see there.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise TracingError(
            f"QRSR_TRACING_ENDPOINT needs {error.name}: pip install 'qr-super-resolution[tracing]'"
        ) from error
    made = TracerProvider(
        resource=Resource.create({"service.name": SERVICE_NAME, "service.version": VERSION})
    )
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.tracing_endpoint)))
    return made


class Tracing:
    """ASGI middleware around all others."""

    def __init__(self, app: ASGIApp, provider: "TracerProvider", paths: frozenset[str]) -> None:
        """`paths` are the routes that exist; what is asked for elsewhere makes no names of its own."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode

        self._app = app
        self._provider = provider
        self._tracer = provider.get_tracer("service", VERSION)
        self._paths = paths
        self._extract, self._server, self._error = extract, SpanKind.SERVER, StatusCode.ERROR

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            self._provider.shutdown()
            return
        path = scope.get("path", "")
        if scope["type"] != "http" or path in _QUIET:
            await self._app(scope, receive, send)
            return
        route = path if path in self._paths else "other"
        parent = self._extract({"traceparent": Headers(scope=scope).get("traceparent", "")})
        with self._tracer.start_as_current_span(
            f"{scope['method']} {route}", context=parent, kind=self._server, record_exception=False
        ) as span:

            async def observed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    headers = Headers(raw=message["headers"])
                    span.set_attribute("http.response.status_code", status)
                    span.set_attribute("qrsr.request_id", headers.get("x-request-id", ""))
                    if status >= 500:
                        span.set_status(self._error)
                await send(message)

            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("http.route", route)
            await self._app(scope, receive, observed)
            stages = scope.get("state", {}).get("stages")
            for stage, milliseconds in stages.milliseconds().items() if stages else ():
                span.set_attribute(f"qrsr.stage.{stage}_ms", milliseconds)
