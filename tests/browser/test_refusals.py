"""What can go wrong, and what people are told: refused images, keys, busy, stopped and silent services."""

import asyncio
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.page import Visit, axe_violations, focused, status, upload, wait_for_text
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, symbol
from tests.builders.model import TINY, write_tiny_model
from tests.builders.process import serving
from tests.builders.server import Server

pytestmark = pytest.mark.processes


REFUSALS = [
    (b"%PDF-1.7" + bytes(64), "scan.pdf", "The service does not take this kind of file."),
    (b"", "empty.png", "That file is empty."),
    (encode(np.full((6, 30), 90, np.uint8)), "thin.png", "That image is too small."),
    (encode(symbol("cut"))[:120], "half.png", "That image is damaged."),
    (encode(symbol("long")) + bytes(70_000), "long.png", "That file is too large."),
    (encode(np.zeros((300, 400), np.uint8)), "large.png", "That image has too many pixels."),
]


def test_each_refusal_has_a_clear_message(visit: Visit, small: Any) -> None:
    with small(max_body_bytes=65_536, max_decode_pixels=90_000, max_upscale_pixels=60_000) as server:
        watched = visit(server)
        page = watched.open()
        for data, name, title in REFUSALS:
            upload(page, data, name)
            wait_for_text(page, "#verdict[data-state=error] #status", title)
            assert page.inner_text("#hint")
        assert axe_violations(page) == []
        watched.picture("desktop-light-error")
        upload(page, encode(np.full((90, 90), 128, np.uint8)))
        assert status(page, "unread") == "Not read"


def test_a_busy_service_says_how_long_to_wait(visit: Visit, small: Any) -> None:
    decoder = InProcessDecoder()
    with small(decoder, concurrency=1, queue=0) as server:
        watched = visit(server)
        page = watched.open()
        decoder.calls, decoder.hold = 0, asyncio.Event()
        with occupied(server, decoder):
            upload(page, encode(symbol("in between")))
            assert status(page, "error") == "The service is busy."
            assert re.fullmatch(
                r"Too many requests came at the same time\. Wait \d+\ss\.", page.inner_text("#hint")
            )
            watched.picture("desktop-light-busy")
        decoder.hold = None
        page.click("#retry")
        wait_for_text(page, ".payload", "in between")
        assert page.locator("#retry").is_hidden()


@contextmanager
def occupied(server: Server, decoder: InProcessDecoder) -> Iterator[None]:
    """Somebody else's request is being worked on; that client goes away at the end."""
    with socket.create_connection(("127.0.0.1", server.port)) as other:
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        body += encode(symbol("first")) + b"\r\n--x--\r\n"
        head = f"POST /decode HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        other.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + body)
        wait_until(lambda: decoder.calls == 1)
        yield
    wait_until(lambda: decoder.cancelled == 1)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_service_killed_in_the_middle_is_told(visit: Visit, tmp_path: Path) -> None:
    write_tiny_model(tmp_path)
    settings = {
        "QRSR_MODEL_STORE": str(tmp_path),
        "QRSR_MODEL": TINY,
        "QRSR_DEVICE": "cpu",
        "QRSR_TILE": "64",
    }
    with serving(tmp_path / "log", QRSR_DECODERS="1", **settings) as server:
        page = visit(server, stops=True).open()
        server.process.send_signal(signal.SIGSTOP)
        upload(page, encode(symbol("never")))
        assert status(page, "busy") == "Reading …"
        server.process.kill()
        assert status(page, "error") == "The service does not answer."
        page.click(".sample >> nth=0")
        wait_for_text(
            page, "#notice", "The service does not answer. It may have stopped, or you are offline."
        )


def test_nobody_waits_for_ever(visit: Visit, small: Any) -> None:
    decoder = InProcessDecoder()
    with small(decoder) as server:
        watched = visit(server)
        watched.page.route("**/playground.json", impatient)
        page = watched.open()
        page.wait_for_selector("#model:visible")
        decoder.calls, decoder.hold = 0, asyncio.Event()
        upload(page, encode(symbol("lost")))
        assert status(page, "error") == "The service has not answered for too long."
        wait_until(lambda: decoder.cancelled == 1)
        decoder.hold = None
        page.click("#retry")
        wait_for_text(page, ".payload", "lost")


def impatient(route: Any) -> None:
    """The service's answer, but that it gives up after half a second."""
    answer = route.fetch()
    route.fulfill(response=answer, json=answer.json() | {"patience_s": 0.5})


def test_a_service_that_stops_is_told_and_can_be_tried_again(visit: Visit, small: Any) -> None:
    with small() as server:
        watched = visit(server, stops=True)
        page = watched.open()
        upload(page, encode(symbol("once")))
        status(page, "read")
    upload(page, encode(symbol("twice")))
    assert status(page, "error") == "The service does not answer."
    assert page.locator("#retry").is_visible()
    watched.picture("desktop-light-stopped")


def test_a_key_is_asked_for_and_kept_in_the_page_only(visit: Visit, small: Any) -> None:
    secret = "-".join(["a", "key", "for", "this", "test"])
    with small(api_keys=secret) as server:
        page = visit(server).open()
        page.wait_for_selector("#key-form:visible")
        upload(page, encode(symbol("locked")))
        assert status(page, "error") == "This service wants an API key."
        assert focused(page) == "key"
        page.keyboard.type("a guess")
        page.keyboard.press("Enter")
        wait_for_text(page, "#status", "The service does not take that API key.")
        page.fill("#key", secret)
        page.keyboard.press("Enter")
        assert status(page, "read") == "Read"
        page.wait_for_selector("#divider:visible")
        stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert secret not in stored
        page.reload(wait_until="networkidle")  # or the server ends before the page has everything
        assert page.input_value("#key") == ""
