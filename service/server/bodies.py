"""Request bodies in all forms that are taken: a form, the image itself, or JSON with base64."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from service.errors import ServiceError
from service.server import multipart

T = TypeVar("T")

MOST_IN_BATCH: Final = 64
"""Images in one request."""
_FORM, _JSON, _RAW = b"multipart/form-data", b"application/json", b"application/octet-stream"
_DATA_URL: Final = re.compile(r"\s*data:image/[a-z0-9.+-]{1,64};base64,", re.IGNORECASE)
_BLANKS: Final = str.maketrans("", "", " \t\r\n")
_URL_SAFE: Final = str.maketrans("-_", "+/")
_WAYS: Final = (
    "send the image itself with its Content-Type (image/png and the like), multipart/form-data with one field named "
    "'file', or application/json with 'image_base64'"
)


class ImageBody(msgspec.Struct, forbid_unknown_fields=True):
    """One image as JSON."""

    image_base64: str


class BatchItem(msgspec.Struct, forbid_unknown_fields=True):
    """One image of several as JSON."""

    image_base64: str
    id: str | None = None


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Several images as JSON."""

    images: list[Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a batch: its bytes, or why there are none."""

    id: str | None
    data: bytes | ServiceError


async def read_body(request: Request, arrived: Callable[[int], None] = lambda _: None) -> bytes:
    """The whole body.

    Args:
        arrived: called with the size of each piece of the body, in bytes; what it raises is passed on.

    Raises:
        ServiceError: `body_too_large`, `client_closed_request`.
    """
    pieces = []
    try:
        async for piece in request.stream():
            arrived(len(piece))
            pieces.append(piece)
    except ClientDisconnect as error:
        raise ServiceError("client_closed_request", "the client closed the connection") from error
    return b"".join(pieces)


def check_kind(content_type: str | None, *, batch: bool = False) -> None:
    """Refuse a body by its type before any of it is read.

    Raises:
        ServiceError: `unsupported_content_type`.
    """
    kind, _ = parse_options_header(content_type)
    if kind in (_FORM, _JSON) or (not batch and _is_raw(kind)):
        return
    if batch:
        raise ServiceError(
            "unsupported_content_type",
            "send application/json with 'images', or multipart/form-data with fields named 'file'",
        )
    sent = f"this is {kind.decode('latin-1')[:64]!r}; " if kind else ""
    raise ServiceError("unsupported_content_type", sent + _WAYS)


def image_of(content_type: str | None, body: bytes) -> bytes:
    """The image in a body of a type that `check_kind` has let pass.

    Raises:
        ServiceError: as `multipart.file_of`, `malformed_json`, `malformed_base64`, `file_missing`, `file_empty`,
            `unexpected_field`.
    """
    kind, options = parse_options_header(content_type)
    if kind == _FORM:
        return multipart.file_of(body, options.get(b"boundary", b""))
    if kind == _JSON:
        return _from_base64(_parsed(body, ImageBody).image_base64)
    if not body:
        raise ServiceError("file_empty", "the body is empty")
    return body


def images_of(content_type: str | None, body: bytes) -> list[Item]:
    """The images of a batch, in their order.

    Raises:
        ServiceError: as `multipart.files_of`, `malformed_json`, `file_missing`, `too_many_files`, `unexpected_field`.
    """
    kind, options = parse_options_header(content_type)
    if kind == _FORM:
        files = multipart.files_of(body, options.get(b"boundary", b""), most=MOST_IN_BATCH)
        items = [Item(name, data or _empty()) for name, data in files]
    else:
        items = [_item(entry) for entry in _limited(_parsed(body, BatchBody).images)]
    if not items:
        raise ServiceError("file_missing", "there are no images")
    return items


def _limited(entries: Sequence[Any]) -> Sequence[Any]:
    if len(entries) > MOST_IN_BATCH:
        raise ServiceError("too_many_files", f"send {MOST_IN_BATCH} images a request at most")
    return entries


def _item(entry: Any) -> Item:
    """One entry of `images`; what is wrong with it is its own problem."""
    identity = entry.get("id") if isinstance(entry, dict) else None
    known = identity if isinstance(identity, str) else None
    try:
        item = msgspec.convert(entry, BatchItem)
        return Item(item.id, _from_base64(item.image_base64))
    except msgspec.ValidationError as error:
        return Item(known, _not_valid(error))
    except ServiceError as error:
        return Item(known, error)


def _parsed(body: bytes, kind: type[T]) -> T:
    if not body:
        raise ServiceError("file_empty", "the body is empty")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _not_valid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ServiceError("malformed_json", "the body is not JSON") from error


def _not_valid(error: msgspec.ValidationError) -> ServiceError:
    """What is said of JSON of another form. The message of msgspec names fields and types, and repeats no value."""
    message = str(error)
    if "missing required field" in message:
        return ServiceError("file_missing", f"JSON of another form is expected: {message}")
    if "unknown field" in message:
        # The field is the client's word.
        return ServiceError(
            "unexpected_field", "there is a field that is not known; options go into the query"
        )
    return ServiceError("malformed_json", f"JSON of another form is expected: {message}")


def _from_base64(text: str) -> bytes:
    """The bytes; base64 of either alphabet, with line breaks or without, with padding or without, or a data URL.

    Raises:
        ServiceError: `malformed_base64`, `file_empty`.
    """
    if start := _DATA_URL.match(text):
        text = text[start.end() :]
    plain = text.translate(_BLANKS).translate(_URL_SAFE).rstrip("=")
    if not plain:
        raise _empty()
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ServiceError("malformed_base64", "'image_base64' is not base64") from error


def _empty() -> ServiceError:
    return ServiceError("file_empty", "the file is empty")


def _is_raw(kind: bytes) -> bool:
    return not kind or kind == _RAW or kind.startswith(b"image/")
