"""A lean HTTP/1.1 client that checks every answer, with a fraction of a general client's processor time.

If the machine both serves and generates the load, the service lacks the load generator's processor time. wrk costs
nearly nothing but only counts; it does the rows that need not check answers (`benchmark.serving.load.wrk`).
"""

import asyncio
import itertools
import random
import selectors
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import httptools

_BOUNDARY = "3f2c9e1b7a5d"
CONTENT_TYPE = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or the failure to get one."""

    status: int
    """0 if the connection ended without an answer."""
    headers: dict[bytes, bytes]
    body: bytes
    seconds: float
    """Seconds since the request was due."""
    sent: float
    """When it was really sent, on the clock of `time.perf_counter()`."""


def form(data: bytes) -> bytes:
    """A multipart body with one file."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="upload"\r\n\r\n'
    return head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()


def request(path: str, body: bytes, kind: str = CONTENT_TYPE, **headers: str) -> bytes:
    """A POST request, ready to be sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


Done = Callable[[Answer], None]


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._done: Done | None = None
        self._due = self._sent = 0.0
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self.open = False

    @classmethod
    async def to(cls, port: int) -> "Connection":
        """Connect to a port of this machine."""
        _, made = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return made

    async def send(self, raw: bytes) -> Answer:
        """Send a request and wait for its answer, with status 0 if there is none."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.ask(raw, lambda found: None if answer.done() else answer.set_result(found))
        return await answer

    def ask(self, raw: bytes, done: Done, due: float | None = None) -> None:
        """Send a request; `done` is called with its answer, with status 0 if there is none.

        Args:
            due: when it should have been sent, if not now.
        """
        self._sent = time.perf_counter()
        self._due = self._sent if due is None else due
        self._headers, self._body = {}, bytearray()
        self._done = done
        if self.open and self._transport is not None:
            self._transport.write(raw)
        else:
            self._answered(0)

    def _answered(self, status: int) -> None:
        done, self._done = self._done, None
        if done is None:
            return
        seconds = time.perf_counter() - self._due
        if self._headers.get(b"connection", b"").lower() == b"close":
            self.close()
        self._parser = httptools.HttpResponseParser(self)
        done(Answer(status, self._headers, bytes(self._body), seconds, self._sent))

    def close(self) -> None:
        """End the connection."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.open = transport, True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self.open = False
        self._answered(0)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        if (status := self._parser.get_status_code()) < 200:
            # "100 Continue": the answer is still to come.
            self._headers = {}
            return
        self._answered(status)


@dataclass
class Tally:
    """The answers to a load."""

    answers: dict[int, list[float]] = field(default_factory=dict)
    """Seconds, by status."""
    wrong: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    """Seconds from the first request to the last answer."""

    def add(self, answer: Answer, complaint: str | None) -> None:
        """Count one answer, and the complaint about it if any."""
        self.answers.setdefault(answer.status, []).append(answer.seconds)
        if complaint is not None:
            self.wrong.append(complaint)

    @property
    def count(self) -> int:
        """Answers of all kinds."""
        return sum(map(len, self.answers.values()))

    def statuses(self) -> dict[str, int]:
        """Number of answers by status."""
        return {str(status): len(seconds) for status, seconds in sorted(self.answers.items())}


Judge = Callable[[Answer], str | None]
"""Returns None, or what is wrong with an answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request and the judge of its answer."""

    raw: bytes
    judge: Judge


async def closed_loop(
    port: int, calls: Iterator[Call], *, clients: int, seconds: float = float("inf")
) -> Tally:
    """Clients that send a request after the answer to the previous one, until `calls` or the time ends."""
    tally = Tally()
    started = time.perf_counter()
    end = started + seconds

    async def client() -> None:
        connection = await Connection.to(port)
        for call in calls:
            if not connection.open:
                connection = await Connection.to(port)
            answer = await connection.send(call.raw)
            tally.add(answer, call.judge(answer))
            if time.perf_counter() >= end:
                break
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    tally.elapsed = time.perf_counter() - started
    return tally


def punctual() -> asyncio.AbstractEventLoop:
    """An event loop that wakes on time: `epoll` waits for whole milliseconds, `select` for microseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def open_loop(
    port: int, calls: Iterator[Call], *, rate: float, seconds: float, rng: random.Random | None = None
) -> Tally:
    """Requests at `rate` a second, whether or not earlier ones are answered, as from many independent phones.

    Latencies count from when a request was due, so a service that stalls does not look better. A `punctual` loop sends
    requests on time.

    Args:
        rng: draws the times between requests (exponential); None makes them equal.
    """
    return await _Offer(port, calls, _times(rate, seconds, rng)).made()


def _times(rate: float, seconds: float, rng: random.Random | None) -> Iterator[float]:
    """The times when requests are due, in seconds from the start."""
    due = 0.0
    for number in itertools.count(1):
        due = due + rng.expovariate(rate) if rng else number / rate
        if due > seconds:
            return
        yield due


class _Offer:
    """Requests that are sent when they are due, whatever happened to others.

    It uses callbacks, because a task for each request takes more processor time, which the service then lacks.
    """

    def __init__(self, port: int, calls: Iterator[Call], times: Iterator[float]) -> None:
        self._port, self._calls, self._times = port, calls, times
        self._loop = asyncio.get_running_loop()
        self._start = time.perf_counter()
        self._due = next(times, None)
        self._tally = Tally()
        self._under_way = 0
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._connections: list[Connection] = []
        self._idle: list[Connection] = []
        self._connecting: set[asyncio.Task[None]] = set()

    async def made(self) -> Tally:
        """Send all requests and return their answers."""
        self._send_what_is_due()
        try:
            await self._ended
        finally:
            # If it ends early, nothing more is sent.
            self._due = None
            for connecting in self._connecting:
                connecting.cancel()
            for connection in self._connections:
                connection.close()
        self._tally.elapsed = time.perf_counter() - self._start
        return self._tally

    def _send_what_is_due(self) -> None:
        while self._due is not None:
            ahead = self._start + self._due - time.perf_counter()
            if ahead > 0:
                self._loop.call_later(ahead, self._send_what_is_due)
                return
            self._send(next(self._calls), self._start + self._due)
            self._due = next(self._times, None)
        self._end_if_answered()

    def _send(self, call: Call, due: float) -> None:
        """Send it over an idle connection, or over a new one."""
        self._under_way += 1
        while self._idle:
            if (connection := self._idle.pop()).open:
                self._ask(connection, call, due)
                return
        connecting = self._loop.create_task(self._connect(call, due))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connected)

    async def _connect(self, call: Call, due: float) -> None:
        connection = await Connection.to(self._port)
        self._connections.append(connection)
        self._ask(connection, call, due)

    def _connected(self, connecting: asyncio.Task[None]) -> None:
        self._connecting.discard(connecting)
        if not connecting.cancelled() and (error := connecting.exception()) is not None:
            self._fail(error)

    def _ask(self, connection: Connection, call: Call, due: float) -> None:
        connection.ask(call.raw, partial(self._answered, connection, call), due)

    def _answered(self, connection: Connection, call: Call, answer: Answer) -> None:
        try:
            self._tally.add(answer, call.judge(answer))
        except Exception as error:
            # Otherwise it would be lost: the loop only logs exceptions of callbacks.
            self._fail(error)
        if connection.open:
            self._idle.append(connection)
        self._under_way -= 1
        self._end_if_answered()

    def _end_if_answered(self) -> None:
        if self._due is None and not self._under_way and not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)
