"""The Python client: against the real application, and against services that misbehave."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service import client as qrsr
from service.client import AsyncClient, Client, Retry
from service.server.app import create_app
from service.server.openapi import DECODED
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, symbol
from tests.builders.model import TINY, write_tiny_model
from tests.builders.server import Server, running

ROOT = Path(__file__).resolve().parents[3]
KEY = "-".join(["key", "of", "the", "client", "tests"])
CODE = encode(symbol("client"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = tmp_path_factory.mktemp("store")
    write_tiny_model(store)
    settings = Settings(model_store=store, model=TINY, device="cpu", tile=64, api_keys=SecretStr(KEY))
    with running(create_app(settings, decoder=lambda _: InProcessDecoder())) as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses of the client, which are not made."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def answering(*replies: Callable[[httpx.Request], httpx.Response]) -> tuple[httpx.MockTransport, list[int]]:
    """A service that gives these replies one after the other, the last one for ever, and how often it was asked."""
    asked = [0]

    def handle(request: httpx.Request) -> httpx.Response:
        asked[0] += 1
        return replies[min(asked[0], len(replies)) - 1](request)

    return httpx.MockTransport(handle), asked


def problem(status: int, code: str, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    body = {"type": "about:blank", "title": "", "status": status, "code": code, "detail": "why"}
    sent = {"content-type": "application/problem+json", "x-request-id": "abc", **headers}
    return lambda _: httpx.Response(status, content=json.dumps(body), headers=sent)


def good(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=DECODED)


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_answers_are_what_the_service_says(url: str, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(CODE)
    with Client(url, api_key=KEY) as client:
        read = client.decode(path)
        image = client.upscale(CODE, "webp")
        with path.open("rb") as stream:
            both = client.upscale(stream, decode=True)
    raw = httpx.post(f"{url}/v1/decode", files={"file": CODE}, headers={"X-API-Key": KEY}).json()
    assert [entry.payload for entry in read.symbols] == [b"client"]
    assert [list(point) for point in read.symbols[0].points] == raw["symbols"][0]["points"]
    assert (read.width, read.height) == (raw["image"]["width"], raw["image"]["height"])
    assert (read.model.name, read.model.version) == (TINY, 1)
    assert set(read.timings_ms) == set(raw["timings_ms"])
    assert image.media_type == "image/webp"
    assert image.image[8:12] == b"WEBP"
    assert image.decoded is None
    assert both.image.startswith(b"\x89PNG")
    assert both.decoded is not None
    assert both.decoded.symbols[0].text == "client"


def test_the_asynchronous_client_does_the_same(url: str) -> None:
    async def both() -> tuple[qrsr.Decoded, qrsr.Enlarged]:
        async with AsyncClient(url, api_key=KEY) as client:
            return await client.decode(CODE), await client.upscale(CODE)

    read, image = asyncio.run(both())
    assert read.symbols[0].payload == b"client"
    assert image.image.startswith(b"\x89PNG")


def test_refusals_are_typed_and_not_repeated(url: str) -> None:
    with Client(url, api_key=KEY) as client:
        with pytest.raises(qrsr.BadUploadError) as damaged:
            client.decode(CODE[:100])
        assert (damaged.value.code, damaged.value.status) == ("damaged_image", 422)
        assert damaged.value.request_id
    with Client(url) as client, pytest.raises(qrsr.UnauthorizedError):
        client.decode(CODE)


def test_connections_are_used_again(url: str, server: Server) -> None:
    with Client(url, api_key=KEY) as client:
        client.decode(CODE)
        before = set(server.uvicorn.server_state.connections)
        for _ in range(4):
            client.decode(CODE)
        assert set(server.uvicorn.server_state.connections) == before


def test_what_may_pass_is_tried_again(naps: list[float]) -> None:
    transport, asked = answering(
        problem(429, "overloaded", **{"retry-after": "2"}),
        broken,
        lambda _: httpx.Response(502, html="<h1>Bad gateway</h1>"),
        problem(503, "not_ready"),
        good,
    )
    with Client("http://service", transport=transport) as client:
        assert client.decode(b"x").symbols[0].reader == "soft"
    assert asked == [5]
    assert 2.0 <= naps[0] <= 2.2
    # Full jitter: up to .2, .4, .8, 1.6 seconds.
    assert all(0 <= nap <= bound for nap, bound in zip(naps[1:], (0.4, 0.8, 1.6), strict=True))


def test_what_will_not_pass_is_not(naps: list[float]) -> None:
    transport, asked = answering(problem(413, "body_too_large"))
    with Client("http://service", transport=transport) as client, pytest.raises(qrsr.BadUploadError):
        client.decode(b"x")
    assert asked == [1]
    assert naps == []


def test_a_pause_beyond_the_deadline_is_not_begun(naps: list[float]) -> None:
    transport, asked = answering(problem(429, "overloaded", **{"retry-after": "60"}))
    with (
        Client("http://service", transport=transport, retry=Retry(total_s=30)) as client,
        pytest.raises(qrsr.OverloadedError) as refused,
    ):
        client.decode(b"x")
    assert refused.value.retry_after == 60
    assert asked == [1]
    assert naps == []


def test_tries_are_counted(naps: list[float]) -> None:
    transport, asked = answering(broken)
    with (
        Client("http://service", transport=transport, retry=Retry(tries=3)) as client,
        pytest.raises(qrsr.TransportError, match="refused"),
    ):
        client.decode(b"x")
    assert asked == [3]
    assert len(naps) == 2


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, text="hello"),
        httpx.Response(200, json={"symbols": []}),
        httpx.Response(404, html="<h1>elsewhere</h1>"),
        httpx.Response(400, content=b"{}", headers={"content-type": "application/problem+json"}),
    ],
)
def test_foreign_answers_are_told_apart(reply: httpx.Response) -> None:
    transport, asked = answering(lambda _: reply)
    with Client("http://service", transport=transport) as client, pytest.raises(qrsr.UnexpectedAnswerError):
        client.decode(b"x")
    assert asked == [1]


def test_an_asynchronous_call_ends_at_its_deadline() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def call() -> None:
        transport = httpx.MockTransport(never)
        async with AsyncClient("http://service", transport=transport, retry=Retry(total_s=0.1)) as client:
            await client.decode(b"x")

    with pytest.raises(qrsr.TransportError):
        asyncio.run(call())


def test_a_batch_keeps_order_bounds_and_failures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.005)
        with lock:
            inside -= 1
        return problem(422, "damaged_image")(request) if b"spoilt" in request.read() else good(request)

    taken = 0

    def sources() -> Iterator[bytes | Path]:
        nonlocal taken
        for number in range(20):
            taken += 1
            yield tmp_path / "missing.png" if number == 11 else (b"spoilt" if number == 7 else b"%d" % number)

    with Client("http://service", concurrency=3, transport=httpx.MockTransport(handle)) as client:
        outcomes = client.decode_many(sources(), progress=True)
        first = next(outcomes)
        assert first.source == b"0"
        assert taken <= 2 * 3
        rest = list(outcomes)
    assert [outcome.source for outcome in rest[:3]] == [b"1", b"2", b"3"]
    assert len(rest) == 19
    assert most == 3
    failed = {str(outcome.source): type(outcome.error) for outcome in rest if outcome.error}
    assert failed == {"b'spoilt'": qrsr.BadUploadError, str(tmp_path / "missing.png"): FileNotFoundError}
    assert all((outcome.answer is None) == (outcome.error is not None) for outcome in rest)
    shown = capsys.readouterr().err
    assert "20image" in shown
    assert "failed=2" in shown


def test_an_asynchronous_batch_does_the_same() -> None:
    inside, most = 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1
        return problem(422, "damaged_image")(request) if b"spoilt" in await request.aread() else good(request)

    async def run() -> list[Any]:
        transport = httpx.MockTransport(handle)
        async with AsyncClient("http://service", concurrency=3, transport=transport) as client:
            return [outcome async for outcome in client.decode_many([b"0", b"spoilt", *[b"x"] * 10])]

    outcomes = asyncio.run(run())
    assert [outcome.source for outcome in outcomes[:2]] == [b"0", b"spoilt"]
    assert isinstance(outcomes[1].error, qrsr.BadUploadError)
    assert sum(outcome.answer is not None for outcome in outcomes) == 11
    assert most == 3


@pytest.mark.processes
def test_the_client_imports_nothing_of_the_service() -> None:
    code = (
        "import sys, service.client\n"
        "heavy = {'fastapi', 'starlette', 'pydantic', 'onnxruntime', 'numpy', 'cv2', 'PIL', 'torch', 'tqdm'}\n"
        "print(sorted(heavy & set(sys.modules)),\n"
        "      sorted(n for n in sys.modules if n.startswith('service.') and not n.startswith('service.client')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"


def test_the_client_knows_every_field_of_the_contract() -> None:
    schemas = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]["schemas"]

    def names(kind: type) -> set[str]:
        return {field.name for field in fields(kind)}

    assert names(qrsr.Symbol) - {"payload"} == set(schemas["Symbol"]["properties"]) - {"payload_base64"}
    assert names(qrsr.Attempt) == set(schemas["AttemptReport"]["properties"])
    assert names(qrsr.Model) == set(schemas["ModelRef"]["properties"])
    assert names(qrsr.Decoded) - {"width", "height"} == set(schemas["DecodeAnswer"]["properties"]) - {"image"}
