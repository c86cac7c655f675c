"""uvicorn's HTTP protocol without any other than HTTP/1.

A server may ignore that a client asks for another protocol (RFC 9110, section 7.8), as the JDK's HTTP client does
unasked in its first request. httptools takes all that follows the headers of such a request for the other protocol
(httptools#124, uvicorn#2722): its body would be lost and, where it comes later, be taken for a request of its own.
"""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_FRAMING = (b"content-length", b"transfer-encoding")
"""Headers that say where a body ends."""


class Http1Protocol(HttpToolsProtocol):
    """Serves a request that asks for another protocol as if it did not."""

    _head_again = False
    """Whether the parser is at a head that has been parsed before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = _Parser(self)

    def on_message_begin(self) -> None:
        if not self._head_again:
            self.on_head()
            super().on_message_begin()

    def on_headers_complete(self) -> None:
        if not self._head_again:
            self.on_head_complete()
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        # Of a request that asks for another protocol it is said before its body.
        if not self.parser.should_upgrade():
            self._head_again = False
            super().on_message_complete()

    def on_head(self) -> None:
        """A request begins."""

    def on_head_complete(self) -> None:
        """A request's headers are there, and it is about to be begun."""

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


class _Parser(httptools.HttpRequestParser):
    """Goes on with HTTP/1, by another of its kind, whatever a request asks for."""

    def __init__(self, protocol: Http1Protocol) -> None:
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
