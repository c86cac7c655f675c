"""uvicorn's HTTP protocol, with bounds on what comes before a request's body and after its answer.

`service.server.request` and `service.server.multipart` bound the body. Only the protocol sees that a client sends
headers without end, or none at all; that it goes on sending a body that has been answered; or that it does not take its
answer.
"""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any, cast

from service.errors import ServiceError
from service.server.problems import MEDIA_TYPE, problem_body, title
from service.server.upgrades import Http1Protocol

MOST_HEAD_BYTES = 64 * 1024
"""Request line and headers together. What arrived in one piece with them is looked at afterwards, so the bound is
passed by one read of the socket at most."""
HEAD_TIMEOUT_S = 20.0
"""Time for request line and headers, from the connection or from the request's first byte on."""
DRAIN_S = 20.0
"""Time for the rest of a body whose request has been answered, and for a client to hang up first."""
TAKE_S = 20.0
"""How often it is looked whether a client takes its answer."""
TAKE_BYTES = 64 * 1024
"""What it has to take of it in that time, besides what the system holds: that is some megabytes, and only where more is
left of an answer is it missing here."""


class BoundedProtocol(Http1Protocol):
    """Ends a connection whose request does not begin in time or begins too long, whose body does not end once it has
    been answered, or whose answer is not taken."""

    _head_bytes = 0
    hung_up = False
    """Whether our side of the connection is closed, and what still comes is thrown away."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head, self._drain, self._take = (_Timer(self.loop) for _ in range(3))
        """They run while a head is awaited, while what comes is passed over, while an answer is not taken."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answer: Answer | None = Answer(self)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head, self._drain, self._take):
            timer.stop()
        # It knows this protocol, and both would stay until garbage collection finds them.
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
            # Nothing is under way: it was an empty line, or the end of a body that had been answered.
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
        # There may be another request behind it, whose body is nobody's business yet.
        if self.cycle.response_complete and self.cycle.more_body and not self.hung_up:
            self._pass_over()
        super().on_response_complete()
        if self.hung_up:
            self._unset_keepalive_if_required()

    def pause_writing(self) -> None:
        """More has been written than the client and the system have taken, by 64 KiB."""
        super().pause_writing()
        self._look_whether_taken()

    def resume_writing(self) -> None:
        """Nearly all has been taken."""
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
        """Close the connection, for a response after which it ends."""
        if self.cycle.more_body:
            self._hang_up()
        else:
            self.transport.close()

    def _hang_up(self) -> None:
        """Close the connection in steps (RFC 9112, section 9.6): were it closed while the client sends, the client
        would be told of that, and not get its answer."""
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
        """As after a response."""
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._head.start(HEAD_TIMEOUT_S, self._late)

    def _late(self) -> None:
        self._refuse("upload_timeout", f"no request within {HEAD_TIMEOUT_S:g} s")
        # Who has sent nothing is in the middle of nothing.
        self.transport.close()

    def _refuse(self, code: str, detail: str) -> None:
        """Answer and hang up. There may be no request yet, so this cannot go through the application."""
        self._head.stop()
        error = ServiceError(code, detail)
        body = json.dumps(problem_body(error)).encode()
        head = (
            f"HTTP/1.1 {error.status} {title(error.status)}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n"
            "x-content-type-options: nosniff\r\ncache-control: no-store\r\n\r\n"
        )
        if not self.hung_up and not self.transport.is_closing():
            self.transport.write(head.encode() + body)
            if self.cycle is not None and not self.cycle.response_complete:
                # As when the client has left: what is still made of its request has nowhere to go.
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._hang_up()


class _Timer:
    """Calls something once; started again, it forgets what it was to call."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started, and not stopped since."""
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
