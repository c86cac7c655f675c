"""The one uploaded file of a multipart request, in memory.

Nearly every client sends the same form: one part, one file, nothing else. Such a body is cut in two places
(`_Plain`), which costs a fraction of parsing it; whatever looks different in the least goes through the parser.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from service.errors import ServiceError

FIELD = "file"
_MAX_PARTS = 16
_PLAIN_TYPE = re.compile(
    r"multipart/form-data; ?boundary=([A-Za-z0-9'()+_,./:=?-]{1,70})", re.IGNORECASE | re.ASCII
)
"""Of a form; the boundary is neither quoted nor followed by anything."""
_HEAD = re.compile(
    rb'Content-Disposition: form-data; name="file"; filename="[ !#-\[\]-~]{0,255}"\r\n'
    rb"(?:Content-Type: [A-Za-z0-9.+-]{1,127}/[A-Za-z0-9.+-]{1,127}\r\n)?\r\n",
    re.IGNORECASE,
)
"""Of the one part: printable ASCII, no quoting inside the file's name, of which nothing is used."""


class _InMemoryParser(MultiPartParser):
    # The body limit bounds memory already, and a container need not have a writable /tmp.
    spool_max_size = 2**62


async def read_upload(request: Request, arrived: Callable[[int], None] = lambda _: None) -> bytes:
    """Read the request's body, however long that takes, and return the bytes of its `file` field.

    Args:
        arrived: told how many bytes of the body have come, piece by piece; what it raises is passed on.

    Raises:
        ServiceError: `unsupported_content_type`, `malformed_multipart`, `file_missing`, `file_empty`,
            `too_many_files`, `unexpected_field`, `body_too_large`, `client_closed_request`.
    """
    declared = request.headers.get("content-type", "")
    plain = _Plain.of(declared)
    if plain is None and parse_options_header(declared)[0] != b"multipart/form-data":
        raise ServiceError("unsupported_content_type", "send multipart/form-data with one field named 'file'")
    try:
        taken = await _plain_or_form(request, plain, arrived)
    except ClientDisconnect as error:
        raise ServiceError("client_closed_request", "the client closed the connection") from error
    except (MultiPartException, UnicodeError, ValueError) as error:
        raise ServiceError("malformed_multipart", "the multipart body cannot be parsed") from error
    if isinstance(taken, bytes):
        return taken
    try:
        return await _only_file(taken)
    finally:
        await taken.close()


@dataclass(frozen=True, slots=True)
class _Plain:
    """A form of one file and nothing else."""

    opening: bytes
    """The delimiter that it begins with."""

    @classmethod
    def of(cls, content_type: str) -> "_Plain | None":
        """By the content type; None where a form may mean something else by it."""
        kind = _PLAIN_TYPE.fullmatch(content_type)
        return cls(b"--" + kind[1].encode()) if kind else None

    def start(self, beginning: bytes) -> int | None:
        """Where the file begins, in bytes; None where it does not look like one file."""
        head = _HEAD.match(beginning, len(self.opening) + 2)
        begins = beginning.startswith(self.opening + b"\r\n") and head
        return head.end() if begins and head else None

    def file(self, body: bytes, start: int) -> bytes | None:
        """The file; None where it is empty, or the body does not end right after it."""
        closing = b"\r\n" + self.opening
        end = body.find(closing, start)
        alone = body[end + len(closing) :] in (b"--\r\n", b"--")
        if end <= start or not alone or body.startswith(self.opening, start):
            return None
        return body[start:end]


async def _plain_or_form(
    request: Request, plain: _Plain | None, arrived: Callable[[int], None]
) -> bytes | FormData:
    """The file of a plain form, or whatever form the parser finds in the body."""
    first, more = await _piece(request, arrived)
    start = plain.start(first) if plain else None
    if plain and start is not None:
        pieces = [first]
        while more:
            piece, more = await _piece(request, arrived)
            pieces.append(piece)
        first = b"".join(pieces)
        if (file := plain.file(first, start)) is not None:
            return file

    async def whole() -> AsyncGenerator[bytes, None]:
        piece, left = first, more
        yield piece
        while left:
            piece, left = await _piece(request, arrived)
            yield piece

    async with aclosing(whole()) as again:
        parser = _InMemoryParser(request.headers, again, max_files=_MAX_PARTS, max_fields=_MAX_PARTS)
        return await parser.parse()


async def _piece(request: Request, arrived: Callable[[int], None]) -> tuple[bytes, bool]:
    """The next piece of the body, and whether there are more.

    As `Request.stream` does, but without an asynchronous generator to be closed for the one piece that most bodies
    arrive in.

    Raises:
        ClientDisconnect: there will be none.
    """
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body = message.get("body", b"")
    arrived(len(body))
    return body, message.get("more_body", False)


async def _only_file(form: FormData) -> bytes:
    entries = form.multi_items()
    if any(name != FIELD for name, _ in entries):
        raise ServiceError("unexpected_field", "the only field is 'file'; options go into the query")
    if not entries:
        raise ServiceError("file_missing", "there is no field named 'file'")
    if len(entries) > 1:
        raise ServiceError("too_many_files", "send one file a request")
    upload = entries[0][1]
    if not isinstance(upload, UploadFile):
        raise ServiceError("file_missing", "the field 'file' has no file name, so it is not a file")
    data = await upload.read()
    if not data:
        raise ServiceError("file_empty", "the file is empty")
    return data
