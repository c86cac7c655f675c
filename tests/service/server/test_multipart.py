"""The short way through a plain form gives what the parser gives, and lets go of everything else."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from service.errors import ServiceError
from service.server import multipart

HEAD = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n'
PLAIN = b"--b\r\n" + HEAD + b"Content-Type: image/png\r\n\r\nDATA\r\n--b--\r\n"


def request(body: bytes, kind: str, pieces: int = 1) -> Request:
    """A request whose body comes in so many pieces."""
    size = max(-(-len(body) // pieces), 1)
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]

    async def messages() -> AsyncIterator[Message]:
        for number, part in enumerate(parts):
            yield {"type": "http.request", "body": part, "more_body": number + 1 < len(parts)}

    coming = messages()

    async def receive() -> Message:
        return await anext(coming)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    return Request(scope, receive)


def outcome(body: bytes, kind: str = "multipart/form-data; boundary=b", pieces: int = 1) -> bytes | str:
    """The file, or the code of the refusal."""
    try:
        return asyncio.run(multipart.read_upload(request(body, kind, pieces)))
    except ServiceError as error:
        return error.code


def by_the_parser(body: bytes, monkeypatch: pytest.MonkeyPatch, pieces: int = 1) -> bytes | str:
    with monkeypatch.context() as patch:
        patch.setattr(multipart._Plain, "of", lambda _: None)
        return outcome(body, pieces=pieces)


def test_a_plain_form_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "_InMemoryParser", None)
    assert outcome(PLAIN) == b"DATA"
    assert outcome(PLAIN[:-2]) == b"DATA"
    # The form's head has to be in the first piece.
    assert outcome(b"--b\r\n" + HEAD + b"\r\n" + bytes(4000) + b"\r\n--b--\r\n", pieces=4) == bytes(4000)


@pytest.mark.parametrize(
    "body",
    [
        PLAIN.replace(b"DATA", b""),
        PLAIN.replace(b"DATA", b"--b--"),
        PLAIN.replace(b"DATA", b"--b\r\n" + HEAD + b"\r\nX"),
        PLAIN.replace(b"DATA", b"DA\r\n--bTA"),
        PLAIN.replace(b"DATA", b"DA\r\n--b\r\n" + HEAD + b"\r\nTA"),
        PLAIN.replace(b"DATA", b"\r\n--"),
        PLAIN.replace(b"DATA", b"DATA\r\n\r\n"),
        PLAIN + b"more",
        PLAIN[:-4],
        PLAIN[:-9],
        b"\r\n" + PLAIN,
        PLAIN.replace(b'"file"', b'"other"'),
        PLAIN.replace(b"a.png", b'a".png'),
        PLAIN.replace(b"a.png", b"a\\.png"),
        PLAIN.replace(b"\r\n\r\nDATA", b"\r\nX-More: y\r\n\r\nDATA"),
        PLAIN.replace(b"\r\n", b"\n"),
        b"",
    ],
)
def test_whatever_looks_different_is_what_the_parser_says(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    expected = by_the_parser(body, monkeypatch)
    assert outcome(body) == expected
    assert outcome(body, pieces=3) == by_the_parser(body, monkeypatch, pieces=3)


def test_a_thousand_spoilt_forms_are_what_the_parser_says(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    files = 0
    for _ in range(1000):
        body = bytearray(PLAIN)
        for _ in range(rng.choice((1, 1, 2))):
            start = rng.randrange(len(body))
            piece = rng.choice((b"", b"\r\n", b"--b", b"-", bytes([rng.randrange(256)])))
            body[start : start + rng.choice((0, 1, 2))] = piece
        expected = by_the_parser(bytes(body), monkeypatch)
        assert outcome(bytes(body)) == expected, bytes(body)
        files += isinstance(expected, bytes)
    assert 100 < files < 900


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=b; charset=utf-16", 'multipart/form-data; boundary="b c"']
)
def test_an_unusual_content_type_goes_to_the_parser(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(multipart, "_InMemoryParser", None)
    with pytest.raises(TypeError):
        outcome(PLAIN, kind)
