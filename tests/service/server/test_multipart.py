"""The strict parser of the upload's form: what clients send, what is refused, and that no file is cut otherwise."""

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message

from service.errors import ServiceError
from service.server.bodies import check_kind, image_of, read_body

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
        check_kind(kind)
        return image_of(kind, asyncio.run(read_body(request(body, kind, pieces))))
    except ServiceError as error:
        return error.code


def of_starlette(body: bytes) -> list[bytes] | None:
    """The files that Starlette's general parser finds; None where it refuses the form."""

    async def whole() -> list[bytes]:
        got = request(body, "multipart/form-data; boundary=b")
        form = await MultiPartParser(got.headers, got.stream()).parse()
        return [await file.read() for _, file in form.multi_items() if not isinstance(file, str)]

    try:
        return asyncio.run(whole())
    except (MultiPartException, ValueError):
        return None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=b", PLAIN),
        ("multipart/form-data; boundary=b", PLAIN.removesuffix(b"\r\n")),
        ("multipart/form-data; boundary=b", b"\r\n" + PLAIN + b"\r\n"),
        ("Multipart/Form-Data;boundary=b", PLAIN.replace(b"Content-Disposition", b"content-disposition")),
        # .NET's HttpClient: a quoted boundary, parameters without quotes, and the name once more in RFC 5987's form.
        (
            'multipart/form-data; boundary="b c"',
            b"--b c\r\nContent-Disposition: form-data; name=file; filename=a.png; filename*=utf-8''a.png\r\n\r\n"
            b"DATA\r\n--b c--\r\n",
        ),
        # Apache's HttpClient.
        (
            "multipart/form-data; boundary=b; charset=ISO-8859-1",
            PLAIN.replace(b"\r\n\r\nDATA", b"\r\nContent-Transfer-Encoding: binary\r\n\r\nDATA"),
        ),
        # OkHttp gives the length as well; Firefox sends names as UTF-8; quotation marks are escaped by some.
        ("multipart/form-data; boundary=b", PLAIN.replace(HEAD, HEAD + b"Content-Length: 4\r\n")),
        ("multipart/form-data; boundary=b", PLAIN.replace(b"a.png", "Bär.png".encode())),
        ("multipart/form-data; boundary=b", PLAIN.replace(b"a.png", b'a\\"b.png')),
    ],
)
@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_forms_as_clients_send_them_are_read(kind: str, body: bytes, pieces: int) -> None:
    assert outcome(body, kind, pieces) == b"DATA"


def test_any_contents_are_read_byte_for_byte() -> None:
    rng = random.Random(1)
    for size in (1, 2, 5, 60, 4096, 300_000):
        data = rng.randbytes(size)
        sent = httpx.Request("POST", "http://x", files={"file": ("a.png", data, "image/png")})
        assert outcome(sent.read(), sent.headers["content-type"]) == data


@pytest.mark.parametrize("inside", [b"DA\r\n--cTA", b"\r\n", b"\r\n\r\n", b"\r", b"\r\n--", b"--"])
def test_contents_that_resemble_a_boundary_are_kept(inside: bytes) -> None:
    assert outcome(PLAIN.replace(b"DATA", inside)) == inside


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_multipart"),
        (b"--b--\r\n", "file_missing"),
        (PLAIN.replace(b"DATA", b""), "file_empty"),
        (PLAIN.replace(b"DATA", b"X\r\n--b\r\n" + HEAD + b"\r\nY"), "too_many_files"),
        (PLAIN.replace(b'"file"', b'"other"'), "unexpected_field"),
        (PLAIN.replace(b'; filename="a.png"', b""), "file_missing"),
        # Text around the form, and boundaries that are none.
        (b"preamble\r\n" + PLAIN, "malformed_multipart"),
        (PLAIN + b"epilogue", "malformed_multipart"),
        (PLAIN.replace(b"DATA", b"DA\r\n--bTA"), "malformed_multipart"),
        (PLAIN.replace(b"DATA", b"--b--"), "malformed_multipart"),
        (PLAIN.replace(b"--b--\r\n", b""), "malformed_multipart"),
        (PLAIN.replace(b"--b--\r\n", b"--b-"), "malformed_multipart"),
        (PLAIN.replace(b"--b--", b"--b"), "malformed_multipart"),
        (PLAIN.replace(b"\r\n", b"\n"), "malformed_multipart"),
        # Headers.
        (PLAIN.replace(HEAD, b""), "malformed_multipart"),
        (PLAIN.replace(HEAD, HEAD * 2), "malformed_multipart"),
        (PLAIN.replace(HEAD, HEAD + b" folded\r\n"), "malformed_multipart"),
        (PLAIN.replace(HEAD, HEAD + b"no colon\r\n"), "malformed_multipart"),
        (PLAIN.replace(b"form-data;", b"attachment;"), "malformed_multipart"),
        (PLAIN.replace(b'name="file"; ', b""), "malformed_multipart"),
        (PLAIN.replace(HEAD, HEAD + b"X: " + b"y" * 5000 + b"\r\n"), "malformed_multipart"),
        (b"--b\r\n" + HEAD + b"--b--\r\n", "malformed_multipart"),
    ],
)
def test_forms_that_are_not_one_file_are_refused(body: bytes, code: str) -> None:
    assert outcome(body) == code
    assert outcome(body, pieces=3) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("multipart/form-data", "malformed_multipart"),
        ("multipart/form-data; boundary=", "malformed_multipart"),
        ("multipart/form-data; boundary=c", "malformed_multipart"),
        ("multipart/mixed; boundary=b", "unsupported_content_type"),
    ],
)
def test_a_content_type_that_does_not_fit_is_refused(kind: str, code: str) -> None:
    assert outcome(PLAIN, kind) == code


def test_a_file_of_a_spoilt_form_is_the_one_that_starlette_finds() -> None:
    rng = random.Random(3)
    files = 0
    for _ in range(1500):
        body = bytearray(PLAIN)
        for _ in range(rng.choice((1, 1, 2))):
            start = rng.randrange(len(body))
            piece = rng.choice((b"", b"\r\n", b"--b", b"-", bytes([rng.randrange(256)])))
            body[start : start + rng.choice((0, 1, 2))] = piece
        got = outcome(bytes(body))
        if isinstance(got, bytes):
            files += 1
            assert [got] == of_starlette(bytes(body)), bytes(body)
    assert 100 < files < 1400
