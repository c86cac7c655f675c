"""Requests that ask for another protocol than HTTP/1."""

import itertools
import json
import re
from collections.abc import Callable

import pytest

from tests.builders.raw_http import answer_to, connect, form, head, in_chunks, send, texts, with_length
from tests.builders.server import Server


def at_once(pieces: list[bytes]) -> list[bytes]:
    return [b"".join(pieces)]


def later(pieces: list[bytes]) -> list[bytes]:
    return pieces


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
