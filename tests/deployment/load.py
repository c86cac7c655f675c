"""Requests without a pause from several clients, each answer compared with what it must be."""

import base64
import io
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import httpx
from PIL import Image

from tests.builders.images import encode, pattern, symbol
from tests.builders.process import ROOT
from tests.deployment.stack import Stack

# Needs the generator and the soft reader, so it is answered late: a replica that ends has some of these inside.
_HARD = (ROOT / "docs/samples/label.png").read_bytes()
_HARD_CONTENT = b"https://example.org/qr-super-resolution"


class Load:
    """Context manager: the clients go on until its end, and `lost` says what went wrong on the way.

    A client never tries again: each request must be answered rightly the first time.
    """

    def __init__(self, stack: Stack, *, clients: int = 3, tls: bool = False) -> None:
        self._stack, self._tls = stack, tls
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(index,)) for index in range(clients)]
        self.answered: Counter[str] = Counter()
        self.lost: list[str] = []

    def beyond(self, total: int) -> bool:
        """Whether more than so many requests have been made."""
        return self.total > total

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(250)
        assert not any(thread.is_alive() for thread in self._threads), "a client waits for ever"

    @property
    def total(self) -> int:
        return self.answered.total()

    def _run(self, index: int) -> None:
        with self._stack.client(tls=self._tls) as client:
            count = 0
            while not self._stop.is_set():
                kind = ("clear", "hard", "upscale")[count % 3]
                try:
                    complaint = getattr(self, f"_{kind}")(client, f"CLIENT {index} REQUEST {count}")
                except httpx.HTTPError as failure:
                    complaint = repr(failure)
                with self._lock:
                    self.answered[kind] += 1
                    if complaint:
                        self.lost.append(f"{kind} {index}/{count}: {complaint}")
                count += 1

    def _clear(self, client: httpx.Client, content: str) -> str | None:
        response = client.post("/v1/decode", files={"file": ("a.png", encode(symbol(content)))})
        return _complaint(response, content.encode())

    def _hard(self, client: httpx.Client, content: str) -> str | None:
        del content
        return _complaint(client.post("/v1/decode", files={"file": ("a.png", _HARD)}), _HARD_CONTENT)

    def _upscale(self, client: httpx.Client, content: str) -> str | None:
        seed = sum(content.encode())
        response = client.post("/v1/upscale", files={"file": ("a.png", encode(pattern(70, 90, seed=seed)))})
        if response.status_code != 200:
            return f"{response.status_code} {response.text[:200]}"
        size = Image.open(io.BytesIO(response.content)).size
        return None if size == (360, 280) else f"size {size}"


def _complaint(response: httpx.Response, payload: bytes) -> str | None:
    if response.status_code != 200:
        return f"{response.status_code} {response.text[:200]}"
    read = [base64.b64decode(found["payload_base64"]) for found in response.json()["symbols"]]
    return None if read == [payload] else f"read {read}"
