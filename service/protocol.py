"""uvicorn's HTTP protocol, with bounds on what comes before a request's body.

Bodies are bounded by `service.limits` and `service.uploads`; but before there is a request, nobody but the protocol
sees that a client sends headers without end, or none at all.
"""

import asyncio
import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import ServiceError
from service.problems import MEDIA_TYPE, problem_body, title

MOST_HEAD_BYTES = 64 * 1024
"""Request line and headers together. What arrived in one piece with them is looked at afterwards, so the bound is
passed by one read of the socket at most."""
HEAD_TIMEOUT_S = 20.0
"""Time for request line and headers, from the connection or from the request's first byte on."""


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request does not begin in time or begins too long."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse("bad_request", "the headers are too long")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_done()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse("bad_request", "this is no HTTP request")

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._late)

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._refuse("upload_timeout", f"no request within {HEAD_TIMEOUT_S:g} s")

    def _refuse(self, code: str, detail: str) -> None:
        """Answer and hang up. There may be no request yet, so this cannot go through the application."""
        self._head_done()
        error = ServiceError(code, detail)
        body = json.dumps(problem_body(error)).encode()
        head = (
            f"HTTP/1.1 {error.status} {title(error.status)}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n"
            "x-content-type-options: nosniff\r\ncache-control: no-store\r\n\r\n"
        )
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)
            self.transport.close()
