"""The one uploaded file of a `multipart/form-data` body (RFC 7578), in memory.

The form must be complete and nothing else: there is no text but line breaks before its first boundary and after its
last. The general parser of python-multipart accepts more, but costs 5 % of the row "`/decode`: all read from the
upload" of "What a request costs" in docs/performance.md.
"""

import re
from collections.abc import Callable, Iterator

from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from service.errors import ServiceError

FIELD = "file"
_NAME = FIELD.encode()
_MAX_PARTS = 16
_MAX_HEADERS = 4096
"""Bytes of the headers of one part."""
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
"""Name and value (RFC 9110, section 5); a value goes to the end of its line."""


async def read_upload(request: Request, arrived: Callable[[int], None] = lambda _: None) -> bytes:
    """Read the whole body and return the bytes of its file.

    Args:
        arrived: called with the size of each piece of the body, in bytes; what it raises is passed on.

    Raises:
        ServiceError: `unsupported_content_type`, `malformed_multipart`, `file_missing`, `file_empty`,
            `too_many_files`, `unexpected_field`, `body_too_large`, `client_closed_request`.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise ServiceError("unsupported_content_type", "send multipart/form-data with one field named 'file'")
    pieces = []
    try:
        async for piece in request.stream():
            arrived(len(piece))
            pieces.append(piece)
    except ClientDisconnect as error:
        raise ServiceError("client_closed_request", "the client closed the connection") from error
    return file_of(b"".join(pieces), options.get(b"boundary", b""))


def file_of(body: bytes, boundary: bytes) -> bytes:
    """The contents of the only file of a form.

    Raises:
        ServiceError: `malformed_multipart`, `file_missing`, `file_empty`, `too_many_files`, `unexpected_field`.
    """
    parts = [(_parameters(body[start:end]), end, stop) for start, end, stop in _parts(body, boundary)]
    if any(parameters.get(b"name") != _NAME for parameters, _, _ in parts):
        raise ServiceError("unexpected_field", "the only field is 'file'; options go into the query")
    if not parts:
        raise ServiceError("file_missing", "there is no field named 'file'")
    if len(parts) > 1:
        raise ServiceError("too_many_files", "send one file a request")
    parameters, end, stop = parts[0]
    if b"filename" not in parameters:
        raise ServiceError("file_missing", "the field 'file' has no file name, so it is not a file")
    contents = body[end + 4 : stop]
    if not contents:
        raise ServiceError("file_empty", "the file is empty")
    return contents


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[int, int, int]]:
    """Of each part where its headers start, where they end, and where the part ends.

    Raises:
        ServiceError: `malformed_multipart`.
    """
    delimiter = b"\r\n--" + boundary
    if not boundary or not body.startswith((delimiter, delimiter[2:])):
        raise _malformed()
    at = body.index(b"--") + len(delimiter) - 2
    for _ in range(_MAX_PARTS):
        if not body.startswith(b"\r\n", at):
            break
        stop = body.find(delimiter, at)
        end = body.find(b"\r\n\r\n", at, min(stop, at + _MAX_HEADERS))
        if stop < 0 or end < 0:
            raise _malformed()
        yield at + 2, end, stop
        at = stop + len(delimiter)
    if body[at:].rstrip(b"\r\n") != b"--":
        raise _malformed()


def _parameters(headers: bytes) -> dict[bytes, bytes]:
    """The parameters of Content-Disposition, with `name` among them.

    Raises:
        ServiceError: `malformed_multipart`.
    """
    dispositions = []
    for line in headers.split(b"\r\n"):
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _malformed()
        if header[1].lower() == b"content-disposition":
            dispositions.append(header[2])
    kind, parameters = parse_options_header(dispositions[0] if len(dispositions) == 1 else b"")
    if kind != b"form-data" or b"name" not in parameters:
        raise _malformed()
    return parameters


def _malformed() -> ServiceError:
    return ServiceError("malformed_multipart", "the multipart body cannot be parsed")
