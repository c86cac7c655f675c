"""uvicorn's HTTP protocol with limits for slow and hostile clients.

`service.server.middleware` and `service.server.request` limit the body. Only the protocol sees that a client sends
endless headers or none at all, goes on sending the body of a request that has been answered, or does not read its
answer.
"""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any, cast

from service.errors import ServiceError
from service.pipeline.answers import PROBLEM_TYPE
from service.server.problems import problem_body, title
from service.server.upgrades import Http1Protocol

MOST_HEAD_BYTES = 64 * 1024
"""Limit of the request line and headers together. It is checked after each read of the socket, so one read may exceed
it."""
HEAD_TIMEOUT_S = 20.0
"""Time limit for the request line and headers, from the connection or the first byte of the request."""
DRAIN_S = 20.0
"""Time limit for the rest of a body whose request has been answered, or until the client closes the connection."""
TAKE_S = 20.0
"""Interval of the checks whether a client reads its answer."""
TAKE_BYTES = 64 * 1024
"""Least that a client must read in that time. The system's own buffers hold some megabytes besides, so only the part of
an answer beyond these is measured."""


class BoundedProtocol(Http1Protocol):
    """Closes a connection when its request does not arrive in time, its headers are too long, its body does not end
    after the answer, or its answer is not read."""

    _head_bytes = 0
    hung_up = False
    """Whether our side of the connection is closed; what still arrives is discarded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head, self._drain, self._take = (_Timer(self.loop) for _ in range(3))
        """They run while headers are awaited, while a body is discarded, while an answer is not read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answer: Answer | None = Answer(self)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head, self._drain, self._take):
            timer.stop()
        # The answer and this protocol refer to each other, and would stay until garbage collection finds them.
        self._answer = None
        if self.cycle is not None:
            self.cycle.transport = self.transport
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.hung_up:
            return
        if self._head.running:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head.running and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse("bad_request", "the headers are too long")
        if not self._head.running and not self._drain.running and self._answered():
            # No request is in progress: this was an empty line, or the end of a body that had been answered.
            self._expect_nothing()

    def on_head(self) -> None:
        if not self._head.running:
            self._expect_head()

    def on_head_complete(self) -> None:
        self._head.stop()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._answer is not None:
            self.cycle.transport = cast(asyncio.Transport, self._answer)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._drain.stop()

    def on_response_complete(self) -> None:
        # Another request may follow; its body has not been asked for yet.
        if self.cycle.response_complete and self.cycle.more_body and not self.hung_up:
            self._pass_over()
        super().on_response_complete()
        if self.hung_up:
            self._unset_keepalive_if_required()

    def pause_writing(self) -> None:
        """The transport's buffer holds more than 64 KiB that the client has not read."""
        super().pause_writing()
        self._look_whether_taken()

    def resume_writing(self) -> None:
        """The buffer is nearly empty."""
        self._take.stop()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server ends."""
        if self.hung_up:
            self.transport.close()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse("bad_request", "this is no HTTP request")

    def end(self) -> None:
        """Close the connection after a response."""
        if self.cycle.more_body:
            self._hang_up()
        else:
            self.transport.close()

    def _hang_up(self) -> None:
        """Close our side of the connection first, the rest when the client has closed its (RFC 9112, section 9.6).

        If it were closed while the client still sends, the client would see a reset instead of its answer.
        """
        if not self.hung_up and not self.transport.is_closing():
            self.hung_up = True
            self.transport.write_eof()
            self.flow.resume_reading()
            self._pass_over()

    def _pass_over(self) -> None:
        self._drain.start(DRAIN_S, self.transport.close)

    def _look_whether_taken(self, before: float = math.inf) -> None:
        left = self.transport.get_write_buffer_size()
        if left > before - TAKE_BYTES:
            self.transport.abort()
        else:
            self._take.start(TAKE_S, self._look_whether_taken, left)

    def _answered(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete

    def _expect_nothing(self) -> None:
        """Start the keep-alive timer, as after a response."""
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._head.start(HEAD_TIMEOUT_S, self._late)

    def _late(self) -> None:
        self._refuse("upload_timeout", f"no request within {HEAD_TIMEOUT_S:g} s")
        # A client that has sent nothing does not need the closing in steps.
        self.transport.close()

    def _refuse(self, code: str, detail: str) -> None:
        """Answer with a problem and close the connection.

        There may be no complete request, so this does not go through the application.
        """
        self._head.stop()
        error = ServiceError(code, detail)
        body = json.dumps(problem_body(error)).encode()
        head = (
            f"HTTP/1.1 {error.status} {title(error.status)}\r\ncontent-type: {PROBLEM_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n"
            "x-content-type-options: nosniff\r\ncache-control: no-store\r\n\r\n"
        )
        if not self.hung_up and not self.transport.is_closing():
            self.transport.write(head.encode() + body)
            if self.cycle is not None and not self.cycle.response_complete:
                # Tell the application that the client has disconnected: its answer could not be sent.
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._hang_up()


class _Timer:
    """Calls a function once after some time; a new start replaces the earlier one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped since."""
        return self._handle is not None

    def start(self, seconds: float, call: Callable[..., None], *arguments: object) -> None:
        self.stop()
        self._handle = self._loop.call_later(seconds, call, *arguments)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Answer:
    """What a response may do with the connection: write until it is closed, and end it as `BoundedProtocol.end` does.

    Several responses of one connection may be under way when it ends, one after the other.
    """

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._protocol, self._transport = protocol, protocol.transport

    def write(self, data: bytes) -> None:
        """Write a piece, unless our side of the connection is closed."""
        if not self._protocol.hung_up:
            self._transport.write(data)

    def close(self) -> None:
        """End the connection after what has been written."""
        self._protocol.end()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._protocol.hung_up or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
