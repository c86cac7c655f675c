"""The first requests, which the service sends to itself before it is ready.

They go through the whole application, from the multipart parser to the JSON of the answer, because the first use of
each part is slow: imports, tables, allocations. They also check that the service can read and enlarge a symbol; if it
cannot, it does not start.
"""

import asyncio
import io
import json
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pil
from starlette.types import ASGIApp, Message

_TEXT = "WARM-UP"
_BOUNDARY = "warm-up"
_PIXELS = 3
"""Per module."""


class WarmUpError(Exception):
    """A request of the warm-up failed; the message says which one."""


async def warm_up(app: ASGIApp, key: bytes = b"") -> None:
    """Read a symbol, an image without one, and enlarge an image in every format.

    Args:
        key: API key, where one is required.

    Raises:
        WarmUpError: an answer was not as expected.
    """
    symbol = _symbol()
    colour = np.repeat(symbol[..., None], 3, axis=2)
    # A gradient without a symbol, so that every reader runs.
    await _post(app, key, "/decode", _encoded(np.tile(np.arange(96, dtype=np.uint8), (96, 1)), "PNG"))
    for kind in ("PNG", "JPEG", "WEBP"):
        found = json.loads(await _post(app, key, "/decode", _encoded(symbol, kind)))
        if [entry["text"] for entry in found["symbols"]] != [_TEXT]:
            raise WarmUpError(f"a plain symbol was not read from a {kind} image")
        await _post(app, key, "/upscale", _encoded(colour, "PNG"), f"format={kind.lower()}&decode=true")


def _symbol() -> Any:
    modules = cv2.QRCodeEncoder.create().encode(_TEXT)
    large = np.kron(modules, np.ones((_PIXELS, _PIXELS), np.uint8))
    return np.pad(large, 4 * _PIXELS, constant_values=255)


def _encoded(pixels: Any, kind: str) -> bytes:
    stream = io.BytesIO()
    Pil.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


async def _post(app: ASGIApp, key: bytes, path: str, data: bytes, query: str = "") -> bytes:
    """Answer of the application to an upload.

    Raises:
        WarmUpError: the status is not 200.
    """
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode()
    body = head + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (b"content-type", f"multipart/form-data; boundary={_BOUNDARY}".encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", b"warm-up"),
            (b"x-api-key", key),
        ],
        "client": None,
        "server": None,
    }
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    status, answer = 0, bytearray()

    async def receive() -> Message:
        if inbox:
            return inbox.pop()
        # Nothing follows the body: this client does not disconnect.
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        answer.extend(message.get("body", b""))

    await app(scope, receive, send)
    if status != 200:
        raise WarmUpError(f"POST {path}?{query} was answered {status}: {bytes(answer[:500])!r}")
    return bytes(answer)
