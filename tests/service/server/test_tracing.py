"""A span for each request reaches a collector, goes on with the caller's trace, and tells nothing of the upload."""

import gzip
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service.server.app import create_app
from service.server.tracing import TracingError, provider
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, symbol
from tests.builders.server import running

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector(HTTPServer):
    """Keeps what it is sent."""

    bodies: list[bytes]

    def spans(self) -> list[Span]:
        return [
            span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        packed = self.headers.get("content-encoding") == "gzip"
        self.server.bodies.append(gzip.decompress(body) if packed else body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector(("127.0.0.1", 0), _Handler)
    server.bodies = []
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_is_a_span_of_the_callers_trace(settings: Settings, collector: Collector) -> None:
    traced = settings.model_copy(
        update={"tracing_endpoint": f"http://127.0.0.1:{collector.server_port}/v1/traces"}
    )
    with (
        running(create_app(traced, decoder=lambda _: InProcessDecoder())) as server,
        server.client() as client,
    ):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "one"}
        files = {"file": ("secret-name.png", encode(symbol("SECRET")))}
        assert client.post("/v1/decode", files=files, headers=headers).json()["symbols"]
        assert client.get("/livez").status_code == 200
        assert client.get("/nowhere/SECRET").status_code == 404
    # The warm-up, which goes through the application too, is nobody's trace.
    (decode,) = [span for span in collector.spans() if span.trace_id.hex() == TRACE]
    assert [span.name for span in collector.spans() if span.name.startswith("GET")] == ["GET other"]
    assert decode.name == "POST /v1/decode"
    assert decode.parent_span_id.hex() == PARENT
    told = {entry.key: entry.value for entry in decode.attributes}
    assert told["http.response.status_code"].int_value == 200
    assert told["http.route"].string_value == "/v1/decode"
    assert told["qrsr.request_id"].string_value == "one"
    assert any(key.startswith("qrsr.stage.") for key in told)
    assert all(b"SECRET" not in body and b"secret-name" not in body for body in collector.bodies)


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingError, match=r"qr-super-resolution\[tracing\]"):
        provider(Settings(tracing_endpoint="http://collector:4318/v1/traces"))


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector", "http://with space"])
def test_an_endpoint_is_an_address_for_http(endpoint: str) -> None:
    with pytest.raises(ValueError, match="tracing_endpoint"):
        Settings(tracing_endpoint=endpoint)
