"""A lean HTTP/1.1 client: what has to look at every answer, at a fraction of a general client's processor time.

On a machine that serves and loads itself, the load generator's processor time is missing from the service. wrk, which
costs nearly nothing but only counts, does the rows that need no look at the answers (`tests.load.wrk`).
"""

import asyncio
import itertools
import random
import selectors
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httptools

_BOUNDARY = "3f2c9e1b7a5d"
CONTENT_TYPE = f"multipart/form-data; boundary={_BOUNDARY}"


class LostError(Exception):
    """The connection ended before the answer did."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or what there was instead."""

    status: int
    """0 where the connection ended without one."""
    headers: dict[bytes, bytes]
    body: bytes
    seconds: float
    """From when the request was due."""
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


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[None] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self.open = False

    @classmethod
    async def to(cls, port: int) -> "Connection":
        """Connect to a port of this machine."""
        _, made = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return made

    async def send(self, raw: bytes, due: float | None = None) -> Answer:
        """Send a request and wait for its answer, of status 0 where there is none."""
        sent = time.perf_counter()
        self._headers, self._body = {}, bytearray()
        self._waiting = asyncio.get_running_loop().create_future()
        status = 0
        try:
            if not self.open or self._transport is None:
                raise LostError
            self._transport.write(raw)
            await self._waiting
            status = self._parser.get_status_code()
        except LostError:
            pass
        finally:
            self._waiting = None
        seconds = time.perf_counter() - (sent if due is None else due)
        if self._headers.get(b"connection", b"").lower() == b"close":
            self.close()
        self._parser = httptools.HttpResponseParser(self)
        return Answer(status, self._headers, bytes(self._body), seconds, sent)

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
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(LostError())

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            # "100 Continue": the answer is still to come.
            self._headers = {}
            return
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


@dataclass
class Tally:
    """What came back."""

    answers: dict[int, list[float]] = field(default_factory=dict)
    """Seconds, by status."""
    wrong: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    """Seconds from the first request to the last answer."""

    def add(self, answer: Answer, complaint: str | None) -> None:
        """Count one answer and what is wrong with it."""
        self.answers.setdefault(answer.status, []).append(answer.seconds)
        if complaint is not None:
            self.wrong.append(complaint)

    @property
    def count(self) -> int:
        """Answers of all kinds."""
        return sum(map(len, self.answers.values()))

    def statuses(self) -> dict[str, int]:
        """How many of each status."""
        return {str(status): len(seconds) for status, seconds in sorted(self.answers.items())}


Judge = Callable[[Answer], str | None]
"""None, or what is wrong."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request and the judge of its answer."""

    raw: bytes
    judge: Judge


async def closed_loop(
    port: int, calls: Iterator[Call], *, clients: int, seconds: float = float("inf")
) -> Tally:
    """Clients that each send a request when they have the answer to the one before, until `calls` or the time ends."""
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
    """Requests at `rate` a second whether or not those before them are answered, as from many independent phones.

    Latencies count from when a request was due, so a service that stalls does not look better for it; a
    `punctual` loop sends them when they are.

    Args:
        rng: draws the times between requests (exponential); None makes them equal.
    """
    tally = Tally()
    idle: list[Connection] = []
    tasks: set[asyncio.Task[None]] = set()

    async def one(call: Call, due: float) -> None:
        connection = idle.pop() if idle else await Connection.to(port)
        if not connection.open:
            connection = await Connection.to(port)
        answer = await connection.send(call.raw, due)
        tally.add(answer, call.judge(answer))
        if connection.open:
            idle.append(connection)

    start = due = time.perf_counter()
    for number in itertools.count(1):
        due = due + rng.expovariate(rate) if rng else start + number / rate
        if due - start > seconds:
            break
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        task = asyncio.create_task(one(next(calls), due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    tally.elapsed = time.perf_counter() - start
    for connection in idle:
        connection.close()
    return tally
