"""`/decode` answers by a route of Starlette's as it would by FastAPI's, which the OpenAPI document describes."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.server.app import create_app
from service.server.routes import decode
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, symbol
from tests.builders.server import Server, running

GOOD = {"file": ("a.png", encode(symbol("HELLO")))}
CALLS: dict[str, dict[str, Any]] = {
    "a symbol": {"files": GOOD},
    "a query": {"files": GOOD, "params": {"format": "png"}},
    "no image": {"files": {"file": ("a.png", b"text")}},
    "no form": {"content": b"text"},
    "another method": {"method": "PUT", "files": GOOD},
    "asked for its head": {"method": "HEAD"},
    "a slash more": {"files": GOOD, "url": "/decode/"},
    "too large": {"files": {"file": ("a.png", bytes(2_100_000))}},
}


@pytest.fixture(scope="module")
def routed(settings: Settings) -> Iterator[Server]:
    """The application without Starlette's routes of `/decode`."""
    app = create_app(settings, decoder=lambda _: InProcessDecoder())
    ahead = [route for route in app.router.routes if getattr(route, "endpoint", None) is decode.decode_upload]
    assert len(ahead) == 2
    app.router.routes = [route for route in app.router.routes if route not in ahead]
    with running(app) as server:
        yield server


@pytest.mark.inside
@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("call", CALLS)
def test_both_routes_answer_alike(client: httpx.Client, routed: Server, call: str, prefix: str) -> None:
    def answer(through: httpx.Client) -> tuple[int, dict[str, str], Any]:
        given = dict(CALLS[call])
        url = prefix + str(given.pop("url", "/decode"))
        got = through.request(str(given.pop("method", "POST")), url, **given)
        headers = {name: value for name, value in got.headers.items() if name not in _OF_ONE_ANSWER}
        headers.pop("content-length", None)
        body = got.json() if got.content else None
        if isinstance(body, dict):
            body.pop("timings_ms", None)
        return got.status_code, headers, body

    with routed.client() as other:
        status, headers, body = answer(client)
        routed_status, routed_headers, routed_body = answer(other)
    headers["location"] = headers.get("location", "").rpartition("/")[2]
    routed_headers["location"] = routed_headers.get("location", "").rpartition("/")[2]
    assert (status, headers, body) == (routed_status, routed_headers, routed_body)


_OF_ONE_ANSWER = {"date", "server-timing", "x-request-id"}
