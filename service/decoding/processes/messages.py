"""What parent and decoder process say to each other: values of the types that a job's signature names, and no others.

A message is a header in MessagePack and the contents of its arrays, both with their lengths in front. msgspec writes
the header and checks what comes against the types. The only code that a message names is a job, and only the parent
sends those: a decoder process that an image has taken over can answer nonsense, but not make its parent run anything.
"""

import inspect
import math
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, get_origin

import msgspec
import numpy as np

_LENGTHS = struct.Struct("<IQ")
"""Bytes of the header, bytes of what follows it."""
_MOST_BYTES = 1 << 30
"""Of either. An upload is in the header, and may have a quarter of this (`Settings.max_body_bytes`)."""
_DTYPES = {kind.str: kind for kind in map(np.dtype, "?bhilqBHILQefd")}
"""Of the arrays that are sent, by name. NumPy's own parser of such names takes and raises far more."""


class WireError(ValueError):
    """A message that cannot be sent, or was not understood."""


class Setup(msgspec.Struct, frozen=True, array_like=True):
    """The first message to a process."""

    number: int
    """The answer to a message repeats it, so that no answer can be taken for another's."""
    factory: str
    """Name of what makes the context of the process."""
    arguments: list[msgspec.Raw]
    memory_bytes: int
    confined: bool


class Call(msgspec.Struct, frozen=True, array_like=True):
    """Any other message to a process."""

    number: int
    job: str
    limit: float
    """Seconds the job may take."""
    arguments: list[msgspec.Raw]


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a process says to either."""

    number: int
    succeeded: bool
    value: msgspec.Raw
    """The result, or the name of the type of what was raised."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Types of a function's arguments and of its result. `Any` is what MessagePack has."""

    arguments: tuple[Any, ...]
    result: Any

    def values(self, arguments: Sequence[msgspec.Raw], blobs: bytes | bytearray) -> list[Any]:
        """The arguments of a message; the last ones may be missing.

        Raises:
            WireError: they are not of their types.
        """
        if len(arguments) > len(self.arguments):
            raise WireError("too many arguments")
        return [decode(one, blobs, kind) for one, kind in zip(arguments, self.arguments, strict=False)]


@cache
def signature(function: Callable[..., object], *, given: int = 0) -> Signature:
    """By the annotations of a function or a class; what has none is `Any`.

    Args:
        given: so many first arguments are not sent.
    """
    found = inspect.signature(function, eval_str=True)
    kinds = [one.annotation for one in found.parameters.values()][given:]
    arguments = (Any if kind is inspect.Parameter.empty else kind for kind in kinds)
    result = found.return_annotation
    return Signature(tuple(arguments), Any if result is inspect.Signature.empty else result)


def encode(value: object) -> list[bytes | memoryview]:
    """The parts of a message.

    Args:
        value: what msgspec makes MessagePack of (None, bool, int, float, str, bytes, dataclasses, lists, tuples and
            dictionaries), arrays of numbers and `Path`.

    Raises:
        WireError: it holds something else.
    """
    blobs: list[memoryview] = []
    try:
        header = msgspec.msgpack.encode(value, enc_hook=partial(_plain, blobs))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError("there is something that cannot be sent") from error
    return [_LENGTHS.pack(len(header), sum(len(blob) for blob in blobs)), header, *blobs]


def decode(header: bytes | bytearray | msgspec.Raw, blobs: bytes | bytearray, kind: Any) -> Any:
    """The value of a message, or of a raw part of one; its arrays are writable where `blobs` is a bytearray.

    Raises:
        WireError: it is no message of this form, or not of type `kind`.
    """
    try:
        return msgspec.msgpack.decode(header, type=kind, dec_hook=partial(_whole, memoryview(blobs)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError("a message is not understood") from error


def send_parts(channel: socket.socket, parts: Sequence[bytes | memoryview]) -> None:
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


def receive(channel: socket.socket) -> tuple[bytearray, bytearray]:
    """Wait for one message: its header and the bytes of its arrays, for `decode`.

    Raises:
        EOFError: the other side is gone.
        WireError: it is no message of this form.
    """
    header_size, size = _sizes(_exactly(channel, _LENGTHS.size))
    return _exactly(channel, header_size), _exactly(channel, size)


def split(data: bytearray) -> tuple[bytearray, bytearray] | None:
    """Take the first message, its header and its rest, out of `data`; None while it is not whole.

    Raises:
        WireError: it is no message of this form.
    """
    if len(data) < _LENGTHS.size:
        return None
    header_size, size = _sizes(data[: _LENGTHS.size])
    start, end = _LENGTHS.size + header_size, _LENGTHS.size + header_size + size
    if len(data) < end:
        return None
    header, blobs = data[_LENGTHS.size : start], data[start:end]
    del data[:end]
    return header, blobs


def _plain(blobs: list[memoryview], value: Any) -> object:
    """What msgspec cannot encode by itself, in types that it can."""
    if isinstance(value, np.ndarray) and value.dtype.str in _DTYPES:
        array = np.ascontiguousarray(value)
        # A view of bytes: a memoryview of a float16 array could not be cast.
        data = array.reshape(-1).view(np.uint8).data
        start = sum(len(other) for other in blobs)
        blobs.append(data)
        return array.dtype.str, array.shape, start, len(data)
    if isinstance(value, np.generic) and value.dtype.str in _DTYPES:
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise WireError(f"{type(value).__name__} cannot be sent")


def _whole(blobs: memoryview, kind: Any, plain: Any) -> object:
    """The value that `_plain` has taken apart."""
    if kind is Path:
        return Path(plain)
    if kind is np.ndarray or get_origin(kind) is np.ndarray:
        name, shape, start, length = plain
        return _array(_DTYPES.get(name), [int(n) for n in shape], _part(blobs, start, length))
    raise WireError(f"{kind} cannot be received")


def _part(blobs: memoryview, start: int, length: int) -> memoryview:
    part = blobs[start : start + length]
    if start < 0 or length < 0 or len(part) != length:
        raise WireError("a message is shorter than it says")
    return part


def _array(dtype: np.dtype[Any] | None, shape: list[int], data: memoryview) -> np.ndarray[Any, Any]:
    if dtype is None or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise WireError("an array is not what it says")
    return np.frombuffer(data, dtype).reshape(shape)


def _sizes(lengths: bytearray) -> tuple[int, int]:
    header_size, size = _LENGTHS.unpack(lengths)
    if max(header_size, size) > _MOST_BYTES:
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
