"""uvicorn's HTTP protocol, which ignores requests to upgrade to another protocol.

RFC 9110, section 7.8, permits that. The JDK's HTTP client sends an `Upgrade` header with its first request. httptools
then treats everything after the headers as the other protocol (httptools#124, uvicorn#2722): the body would be lost
or, when it arrives later, parsed as a new request.
"""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_FRAMING = (b"content-length", b"transfer-encoding")
"""Headers that say where a body ends."""


class Http1Protocol(HttpToolsProtocol):
    """Serves a request with an `Upgrade` header as if it had none."""

    _head_again = False
    """Whether the parser reads headers that have been parsed before."""

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
        # With an `Upgrade` header httptools calls this before the body.
        if not self.parser.should_upgrade():
            self._head_again = False
            super().on_message_complete()

    def on_head(self) -> None:
        """A request line begins."""

    def on_head_complete(self) -> None:
        """The headers of a request are complete."""

    def parse_body_plainly(self) -> bytes:
        """Give the rest of the connection to a new parser.

        Returns the headers to feed it, which describe the same body but no upgrade.
        """
        self.parser = _Parser(self)
        lines = [name + b": " + value for name, value in self.headers if name in _FRAMING]
        if not self.cycle.keep_alive:
            lines.append(b"connection: close")
        self._head_again = True
        # The request has its headers already.
        self.headers = []
        return b"\r\n".join([b"POST / HTTP/1.1", *lines, b"", b""])


class _Parser(httptools.HttpRequestParser):
    """Parses HTTP/1 only: after a request to upgrade, a new parser continues."""

    def __init__(self, protocol: Http1Protocol) -> None:
        super().__init__(protocol)
        # As in uvicorn: a request with `Connection: close` is answered although more data follows.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        parser: httptools.HttpRequestParser = self
        # A loop, not recursion: one piece of data may hold a thousand such requests.
        while True:
            try:
                httptools.HttpRequestParser.feed_data(parser, data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._protocol.parse_body_plainly() + data[upgrade.args[0] :]
                parser = self._protocol.parser
            else:
                return
