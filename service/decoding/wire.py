"""What parent and decoder process say to each other: plain values, arrays, and a few types of our own.

A message is a header in JSON and the bytes it refers to, all with their lengths in front. Nothing in a message names
code that its reader would run, other than a job, and only the parent sends those. So a decoder process that an image
has taken over can answer nonsense, but not make its parent do anything.
"""

import dataclasses
import json
import math
import socket
import struct
from pathlib import Path
from typing import Any, cast

import numpy as np

from service.decoding.reading import Reading
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles

_TYPES: dict[str, type] = {kind.__name__: kind for kind in (Reading, SoftCalibration, WeChatFiles)}
_LENGTHS = struct.Struct("<IQ")
"""Bytes of the header, bytes of what follows it."""
_MOST_HEADER = 1 << 24
_MOST_BYTES = 1 << 30
_DTYPES = "biuf"
"""Kinds of arrays that are sent: numbers."""


class WireError(ValueError):
    """A message that cannot be sent, or was not understood."""


def send(channel: socket.socket, value: object) -> None:
    """Send one message; see `encode` for what it may hold.

    Raises:
        WireError: it holds something else.
        OSError: the other side is gone.
    """
    send_parts(channel, encode(value))


def send_parts(channel: socket.socket, parts: list[bytes | memoryview]) -> None:
    """Send a message that `encode` has made.

    Raises:
        OSError: the other side is gone.
    """
    rest = [memoryview(part) for part in parts if len(part)]
    while rest:
        # Arrays go out from where they are, without a copy.
        sent = channel.sendmsg(rest[:64])
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if sent:
            rest[0] = rest[0][sent:]


def receive(channel: socket.socket) -> Any:
    """Wait for one message.

    Raises:
        EOFError: the other side is gone.
        WireError: it is no message of this form.
    """
    header_size, size = _sizes(_exactly(channel, _LENGTHS.size))
    return decode(_exactly(channel, header_size), _exactly(channel, size))


def split(data: bytearray) -> tuple[bytearray, bytearray] | None:
    """Header and rest of the message that `data` is; None while it is not whole.

    Raises:
        WireError: it is no message of this form, or more than one.
    """
    if len(data) < _LENGTHS.size:
        return None
    header_size, size = _sizes(data[: _LENGTHS.size])
    start, end = _LENGTHS.size + header_size, _LENGTHS.size + header_size + size
    if len(data) > end:
        raise WireError("a message is longer than it says")
    return (data[_LENGTHS.size : start], data[start:]) if len(data) == end else None


def encode(value: object) -> list[bytes | memoryview]:
    """The parts of a message.

    Args:
        value: None, bool, int, float, str, bytes, `Path`, arrays of numbers, `Reading`, `SoftCalibration`,
            `WeChatFiles`, and lists, tuples and dictionaries with string keys of these.

    Raises:
        WireError: it holds something else.
    """
    blobs: list[bytes | memoryview] = []
    header = json.dumps(_plain(value, blobs), separators=(",", ":")).encode()
    return [_LENGTHS.pack(len(header), sum(len(blob) for blob in blobs)), header, *blobs]


def decode(header: bytes | bytearray, blobs: bytes | bytearray) -> Any:
    """The value of a message; its arrays are writable where `blobs` is a bytearray.

    Raises:
        WireError: it is no message of this form.
    """
    try:
        return _value(json.loads(header), memoryview(blobs))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise WireError("a message is not understood") from error


def _plain(value: object, blobs: list[bytes | memoryview]) -> Any:
    """JSON's form. What JSON has not is a list that begins with the name of its kind."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, *(_plain(entry, blobs) for entry in value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(entry, blobs) for key, entry in value.items()}
    if isinstance(value, bytes):
        return ["bytes", *_put(value, blobs)]
    if isinstance(value, np.ndarray) and value.dtype.kind in _DTYPES:
        array = np.ascontiguousarray(value)
        # A view of bytes: a memoryview of a float16 array could not be cast.
        data = array.reshape(-1).view(np.uint8).data
        return ["array", array.dtype.str, list(value.shape), *_put(data, blobs)]
    if isinstance(value, Path):
        return ["path", str(value)]
    if _TYPES.get(type(value).__name__) is type(value):
        fields = dataclasses.fields(cast(Any, value))
        return [type(value).__name__, *(_plain(getattr(value, field.name), blobs) for field in fields)]
    raise WireError(f"{type(value).__name__} cannot be sent")


def _put(blob: bytes | memoryview, blobs: list[bytes | memoryview]) -> tuple[int, int]:
    start = sum(len(other) for other in blobs)
    blobs.append(blob)
    return start, len(blob)


def _value(plain: Any, blobs: memoryview) -> Any:
    if isinstance(plain, dict):
        return {key: _value(entry, blobs) for key, entry in plain.items()}
    if not isinstance(plain, list):
        return plain
    kind, *rest = plain
    if kind == "list":
        return [_value(entry, blobs) for entry in rest]
    if kind == "tuple":
        return tuple(_value(entry, blobs) for entry in rest)
    if kind == "bytes":
        return bytes(_part(blobs, *rest))
    if kind == "array":
        dtype, shape, start, length = rest
        return _array(np.dtype(str(dtype)), [int(n) for n in shape], _part(blobs, start, length))
    if kind == "path":
        return Path(*rest)
    return _TYPES[kind](*(_value(entry, blobs) for entry in rest))


def _part(blobs: memoryview, start: int, length: int) -> memoryview:
    part = blobs[start : start + length]
    if start < 0 or length < 0 or len(part) != length:
        raise WireError("a message is shorter than it says")
    return part


def _array(dtype: np.dtype[Any], shape: list[int], data: memoryview) -> np.ndarray[Any, Any]:
    if (
        dtype.kind not in _DTYPES
        or min(shape, default=0) < 0
        or math.prod(shape) * dtype.itemsize != len(data)
    ):
        raise WireError("an array is not what it says")
    return np.frombuffer(data, dtype).reshape(shape)


def _sizes(lengths: bytearray) -> tuple[int, int]:
    header_size, size = _LENGTHS.unpack(lengths)
    if header_size > _MOST_HEADER or size > _MOST_BYTES:
        raise WireError("a message is too long")
    return header_size, size


def _exactly(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = channel.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return data
