"""What comes before a request's body: too long, too late, or no HTTP at all."""

import http.client
import itertools
import json
import re
import socket
import time
from collections.abc import Callable, Iterable

import httpx
import numpy as np
import pytest

from service import protocol
from tests.builders.images import encode, symbol
from tests.builders.server import Server


def answer_to(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what is answered until the other side hangs up."""
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        pass  # it hung up while we were still sending
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def until_closed(connection: socket.socket, sending: bytes, *, within: float) -> None:
    """Send on and on, until the other side does not have it any more."""
    end = time.monotonic() + within
    try:
        while time.monotonic() < end:
            connection.sendall(sending)
            time.sleep(0.05)
    except (BrokenPipeError, ConnectionResetError):
        return
    pytest.fail("it goes on listening")


@pytest.mark.parametrize(
    "data",
    [b"\0\1\2\3\r\n\r\n", b"GET /livez HTTP/9.9\r\n\r\n", b"GET \xff\xfe HTTP/1.1\r\n\r\n", b"hello\r\n\r\n"],
)
def test_what_is_no_request_is_a_problem(server: Server, data: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(data)
        status, headers, body = answer_to(connection)
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["code"] == "bad_request"


def test_headers_without_end_are_cut(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        line = b"x-more: " + b"y" * 1000 + b"\r\n"
        connection.sendall(line * (2 * protocol.MOST_HEAD_BYTES // len(line)))
        status, _, body = answer_to(connection)
        assert status == 400
        assert json.loads(body)["detail"] == "the headers are too long"
        until_closed(connection, line, within=10)


def test_headers_of_a_usual_length_are_not(server: Server) -> None:
    with connect(server) as connection:
        lines = b"".join(b"x-%d: %s\r\n" % (index, b"y" * 1000) for index in range(50))
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + lines + b"\r\n")
        assert answer_to(connection)[0] == 200


@pytest.mark.parametrize("begun", [b"", b"GET /livez HT"])
def test_a_request_that_does_not_come_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.2)
    with connect(server) as connection:
        connection.sendall(begun)
        status, _, body = answer_to(connection)
    assert status == 408
    assert json.loads(body)["code"] == "upload_timeout"


def test_a_connection_that_is_kept_is_timed_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.5)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for _ in range(4):
            assert client.get("/livez").status_code == 200
            time.sleep(0.2)


LONG = 12 * 2**20
"""Bytes of a body that is too large."""


def test_who_is_refused_in_the_middle_of_a_long_body_is_told_why(server: Server) -> None:
    """Not every client looks for an answer before it has sent everything, the standard library's for one."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    client.request("POST", "/decode", b"x" * LONG, {"Content-Type": "multipart/form-data; boundary=b"})
    response = client.getresponse()
    assert response.status == 413
    assert response.getheader("connection") == "close"
    assert json.loads(response.read())["code"] == "body_too_large"


def test_who_is_not_done_when_refused_for_good_is_hung_up_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\nx" % LONG)
        assert answer_to(connection)[0] == 413
        until_closed(connection, b"x", within=10)


def test_a_body_without_end_is_not_listened_to_once_it_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(b"POST /decode HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")
        until_closed(connection, b"1\r\nx\r\n", within=10)


def test_the_rest_of_a_refused_body_is_passed_over(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")
        connection.sendall(b"12345")
        time.sleep(1.0)
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_and_more",
    [
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
        (b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", b"12345"),
    ],
    ids=["an empty line", "the rest of a refused body"],
)
def test_an_idle_connection_is_closed_whatever_came_last(
    server: Server, monkeypatch: pytest.MonkeyPatch, request_and_more: tuple[bytes, bytes]
) -> None:
    monkeypatch.setattr(server.uvicorn.config, "timeout_keep_alive", 1)
    request, more = request_and_more
    with connect(server) as connection:
        connection.sendall(request)
        assert connection.recv(65536).startswith(b"HTTP/1.1 ")
        connection.sendall(more)
        began = time.monotonic()
        assert connection.recv(65536) == b""
        assert time.monotonic() - began > 0.5


@pytest.mark.parametrize("ending", [b"", b"Connection: close\r\n"])
def test_an_answer_that_is_not_taken_is_thrown_away(
    server: Server, monkeypatch: pytest.MonkeyPatch, ending: bytes
) -> None:
    monkeypatch.setattr(protocol, "TAKE_S", 0.3)
    large = encode(np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", server.port))
        body = upload(large)
        connection.sendall(
            b"POST /upscale HTTP/1.1\r\nHost: x\r\n%sContent-Type: multipart/form-data; boundary=%s\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (ending, BOUNDARY, len(body), body)
        )
        assert connection.recv(12) == b"HTTP/1.1 200"
        until_closed(connection, b"\r\n", within=20)


@pytest.mark.parametrize("pace", [0.0, 0.05])
def test_an_answer_that_is_taken_slowly_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    monkeypatch.setattr(protocol, "TAKE_S", 1.0)
    files = {"file": ("a.png", encode(np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)))}
    with server.client() as client, client.stream("POST", "/upscale", files=files) as response:
        got = 0
        for piece in response.iter_raw(100_000):
            got += len(piece)
            time.sleep(pace)
    assert got == int(response.headers["content-length"])


def test_who_waits_to_be_told_to_go_on_is(server: Server) -> None:
    body = form("GO ON")
    with connect(server) as connection:
        connection.sendall(with_length(body)[0].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert texts(connection, 1) == ["GO ON"]


def test_what_is_behind_good_requests_ends_them_quietly(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    good = b"".join(with_length(form("GOOD")))
    with connect(server) as connection:
        connection.sendall(good * 2 + b"rubbish\r\n\r\n")
        assert answer_to(connection)[0] == 400
    time.sleep(0.2)
    assert "unforeseen failure" not in caplog.text


BOUNDARY = b"a1b2c3"


def upload(data: bytes) -> bytes:
    """The multipart body that uploads a file."""
    head = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return b"--%s\r\n%s%s\r\n--%s--\r\n" % (BOUNDARY, head, data, BOUNDARY)


def form(text: str) -> bytes:
    """The multipart body that uploads a symbol."""
    return upload(encode(symbol(text, scale=4)))


def head(*lines: bytes) -> bytes:
    """The head of a request to read a symbol that asks for HTTP/2, as the JDK's client does."""
    asked = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAAB")
    kind = b"Content-Type: multipart/form-data; boundary=" + BOUNDARY
    return b"\r\n".join([b"POST /v1/decode HTTP/1.1", b"Host: x", *asked, kind, *lines, b"", b""])


def with_length(body: bytes) -> list[bytes]:
    return [head(b"Content-Length: %d" % len(body)), body]


def in_chunks(body: bytes) -> list[bytes]:
    parts = [body[:100], body[100:]]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
    return [head(b"Transfer-Encoding: chunked"), *chunks, b"0\r\n\r\n"]


def at_once(pieces: list[bytes]) -> list[bytes]:
    return [b"".join(pieces)]


def later(pieces: list[bytes]) -> list[bytes]:
    return pieces


def send(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        connection.sendall(piece)
        # Long enough for it to be parsed by itself.
        time.sleep(0.05)


def texts(connection: socket.socket, count: int) -> list[str]:
    """What is read from as many uploads, by the answers that come."""
    found = []
    for _ in range(count):
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        found.append(json.loads(response.read())["symbols"][0]["text"])
    return found


@pytest.mark.parametrize("framed", [with_length, in_chunks])
@pytest.mark.parametrize("arriving", [at_once, later])
def test_who_asks_for_another_protocol_is_answered_in_this_one(
    server: Server,
    framed: Callable[[bytes], list[bytes]],
    arriving: Callable[[list[bytes]], list[bytes]],
) -> None:
    with connect(server) as connection:
        for text in ("FIRST", "SECOND"):
            send(connection, arriving(framed(form(text))))
            assert texts(connection, 1) == [text]


def test_requests_behind_each_other_may_all_ask_for_it(server: Server) -> None:
    with connect(server) as connection:
        bodies = [form(text) for text in ("ONE", "TWO", "THREE")]
        connection.sendall(b"".join(itertools.chain(*map(with_length, bodies))))
        data = b""
        while data.count(b'"symbols"') < len(bodies):
            data += connection.recv(65536)
    places = [data.index(b'"text":"%s"' % text) for text in (b"ONE", b"TWO", b"THREE")]
    assert places == sorted(places)
    assert data.count(b"HTTP/1.1 200 ") == len(bodies)


def test_so_may_more_than_python_could_nest(server: Server) -> None:
    one = b"GET /livez HTTP/1.1\r\nHost: x\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"
    count = 1500
    with connect(server) as connection:
        connection.sendall(one * count)
        data = b""
        while data.count(b"HTTP/1.1 200 ") < count:
            data += connection.recv(1 << 20)


def test_a_body_is_not_taken_for_a_request(server: Server) -> None:
    hidden = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(server) as connection:
        send(connection, with_length(hidden))
        send(connection, [b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
        data = b""
        while piece := connection.recv(65536):
            data += piece
    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"400", b"404"]
    assert b"malformed_multipart" in data


def test_who_asks_for_it_and_for_the_end_gets_both(server: Server) -> None:
    body = form("LAST")
    request = with_length(body)[0].replace(b"Connection: ", b"Connection: close, ")
    with connect(server) as connection:
        send(connection, [request, body])
        status, _, answer = answer_to(connection)
    assert status == 200
    assert json.loads(answer)["symbols"][0]["text"] == "LAST"


def test_a_malformed_body_is_refused_as_ever(server: Server) -> None:
    with connect(server) as connection:
        send(connection, [head(b"Transfer-Encoding: chunked"), b"zz\r\n"])
        status, _, answer = answer_to(connection)
    assert status == 400
    assert json.loads(answer)["code"] == "bad_request"
