"""uvicorn's HTTP protocol, with bounds on what comes before a request's body, and no other protocol than this.

Bodies are bounded by `service.limits` and `service.uploads`; but before there is a request, nobody but the protocol
sees that a client sends headers without end, or none at all.

A server may ignore that a client asks for another protocol (RFC 9110, section 7.8), as the JDK's HTTP client does
unasked in its first request. httptools takes all that follows the headers of such a request for the other protocol
(httptools#124, uvicorn#2722): its body would be lost and, where it comes later, be taken for a request of its own.
"""

import asyncio
import json
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import ServiceError
from service.problems import MEDIA_TYPE, problem_body, title

MOST_HEAD_BYTES = 64 * 1024
"""Request line and headers together. What arrived in one piece with them is looked at afterwards, so the bound is
passed by one read of the socket at most."""
HEAD_TIMEOUT_S = 20.0
"""Time for request line and headers, from the connection or from the request's first byte on."""
_FRAMING = (b"content-length", b"transfer-encoding")
"""Headers that say where a body ends."""


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request does not begin in time or begins too long."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _head_again = False
    """Whether the parser is at a head that it has parsed before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = _Parser(self)

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
        if self._head_again:
            return
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        if self._head_again:
            return
        self._head_done()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        # Of a request that asks for another protocol it is said before its body.
        if not self.parser.should_upgrade():
            self._head_again = False
            super().on_message_complete()

    def parse_body_plainly(self) -> bytes:
        """Have a parser of its own for the rest of the connection. Returns the head it is to have instead of the one
        that has just been parsed, with the same body after it."""
        self.parser = _Parser(self)
        lines = [name + b": " + value for name, value in self.headers if name in _FRAMING]
        if not self.cycle.keep_alive:
            lines.append(b"connection: close")
        self._head_again = True
        # The request has its headers, and is not to have these as well.
        self.headers = []
        return b"\r\n".join([b"POST / HTTP/1.1", *lines, b"", b""])

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


class _Parser(httptools.HttpRequestParser):
    """Goes on with HTTP/1, by another of its kind, whatever a request asks for."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        super().__init__(protocol)
        # As uvicorn has it: a request that ends the connection is answered though more is sent.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        parser: httptools.HttpRequestParser = self
        # Not by calling itself: a piece of data may hold a thousand such requests.
        while True:
            try:
                httptools.HttpRequestParser.feed_data(parser, data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._protocol.parse_body_plainly() + data[upgrade.args[0] :]
                parser = self._protocol.parser
            else:
                return
