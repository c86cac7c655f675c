"""Connections that are no HTTP, or send too much, or too late, or go on when they are answered, or do not take it."""

import http.client
import json
import socket
import time

import httpx
import numpy as np
import pytest

from service.server import connection as http_connection
from tests.builders.images import encode
from tests.builders.raw_http import BOUNDARY, answer_to, connect, form, texts, upload, with_length
from tests.builders.server import Server


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
    monkeypatch.setattr(http_connection, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        line = b"x-more: " + b"y" * 1000 + b"\r\n"
        connection.sendall(line * (2 * http_connection.MOST_HEAD_BYTES // len(line)))
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
    monkeypatch.setattr(http_connection, "HEAD_TIMEOUT_S", 0.2)
    with connect(server) as connection:
        connection.sendall(begun)
        status, _, body = answer_to(connection)
    assert status == 408
    assert json.loads(body)["code"] == "upload_timeout"


def test_a_connection_that_is_kept_is_timed_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "HEAD_TIMEOUT_S", 0.5)
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
    monkeypatch.setattr(http_connection, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\nx" % LONG)
        assert answer_to(connection)[0] == 413
        until_closed(connection, b"x", within=10)


UNTAKEN = b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
"""The beginning of a request that is refused before its body is read."""


def test_a_body_without_end_is_not_listened_to_once_it_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(UNTAKEN + b"Transfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")
        until_closed(connection, b"1\r\nx\r\n", within=10)


def test_the_rest_of_a_refused_body_is_passed_over(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "DRAIN_S", 0.5)
    with connect(server) as connection:
        connection.sendall(UNTAKEN + b"Content-Length: 5\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")
        connection.sendall(b"12345")
        time.sleep(1.0)
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("ending", [b"", b"Connection: close\r\n"])
def test_an_answer_that_is_not_taken_is_thrown_away(
    server: Server, monkeypatch: pytest.MonkeyPatch, ending: bytes
) -> None:
    monkeypatch.setattr(http_connection, "TAKE_S", 0.3)
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


@pytest.mark.slow
@pytest.mark.parametrize("pace", [0.0, 0.05])
def test_an_answer_that_is_taken_slowly_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    monkeypatch.setattr(http_connection, "TAKE_S", 1.0)
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


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"])
def test_a_head_without_a_body_comes_at_once(server: Server, last: bytes) -> None:
    lines = [b"HEAD /openapi.json HTTP/1.1", b"Host: x", last]
    with connect(server) as connection:
        for _ in range(1 if last else 2):
            connection.sendall(b"\r\n".join(lines) + b"\r\n")
            answered = connection.recv(65536)
            assert answered.startswith(b"HTTP/1.1 ")
            assert answered.endswith(b"\r\n\r\n")
        if last:
            assert connection.recv(1) == b""


def test_what_is_behind_good_requests_ends_them_quietly(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    good = b"".join(with_length(form("GOOD")))
    with connect(server) as connection:
        connection.sendall(good * 2 + b"rubbish\r\n\r\n")
        assert answer_to(connection)[0] == 400
    time.sleep(0.2)
    assert "unforeseen failure" not in caplog.text
