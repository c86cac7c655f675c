"""The uploaded files of a `multipart/form-data` body (RFC 7578), in memory.

The form must be complete and nothing else: there is no text but line breaks before its first boundary and after its
last. The general parser of python-multipart accepts more, but costs 5 % of the row "`/decode`: all read from the
upload" of "What a request costs" in docs/performance.md.
"""

import re
from collections.abc import Iterator

from python_multipart.multipart import parse_options_header

from service.errors import ServiceError

FIELD = "file"
_NAME = FIELD.encode()
_MORE_PARTS = 16
"""Fields more than there may be files, which are looked at to tell what is wrong with a form."""
_LONGEST_NAME = 255
_MAX_HEADERS = 4096
"""Bytes of the headers of one part."""
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
"""Name and value (RFC 9110, section 5); a value goes to the end of its line."""


def file_of(body: bytes, boundary: bytes) -> bytes:
    """The contents of the only file of a form.

    Raises:
        ServiceError: `malformed_multipart`, `file_missing`, `file_empty`, `too_many_files`, `unexpected_field`.
    """
    files = files_of(body, boundary, most=1)
    if not files:
        raise ServiceError("file_missing", "there is no field named 'file'")
    contents = files[0][1]
    if not contents:
        raise ServiceError("file_empty", "the file is empty")
    return contents


def files_of(body: bytes, boundary: bytes, *, most: int) -> list[tuple[str | None, bytes]]:
    """Name and contents of the files of a form, in their order.

    Raises:
        ServiceError: `malformed_multipart`, `file_missing`, `too_many_files`, `unexpected_field`.
    """
    parts = [(_parameters(body[start:end]), end, stop) for start, end, stop in _parts(body, boundary, most)]
    if any(parameters.get(b"name") != _NAME for parameters, _, _ in parts):
        raise ServiceError("unexpected_field", "the only field is 'file'; options go into the query")
    if len(parts) > most:
        detail = "send one file a request" if most == 1 else f"send {most} images a request at most"
        raise ServiceError("too_many_files", detail)
    if any(b"filename" not in parameters for parameters, _, _ in parts):
        raise ServiceError("file_missing", "the field 'file' has no file name, so it is not a file")
    return [
        (parameters[b"filename"].decode("utf-8", "replace")[:_LONGEST_NAME] or None, body[end + 4 : stop])
        for parameters, end, stop in parts
    ]


def _parts(body: bytes, boundary: bytes, most: int) -> Iterator[tuple[int, int, int]]:
    """Of each part where its headers start, where they end, and where the part ends.

    Raises:
        ServiceError: `malformed_multipart`.
    """
    delimiter = b"\r\n--" + boundary
    if not boundary or not body.startswith((delimiter, delimiter[2:])):
        raise _malformed()
    at = body.index(b"--") + len(delimiter) - 2
    for _ in range(most + _MORE_PARTS):
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
