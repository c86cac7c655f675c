"""What comes before a request's body: too long, too late, or no HTTP at all."""

import json
import socket
import time

import httpx
import pytest

from service import protocol
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


def test_headers_without_end_are_cut(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        try:
            while sent < 100 * protocol.MOST_HEAD_BYTES:
                sent += connection.send(b"x-more: " + b"y" * 1000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < 100 * protocol.MOST_HEAD_BYTES, "it went on listening"


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
