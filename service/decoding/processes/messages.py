"""Messages between the service and its decoder processes: values of the types in a job's signature, and no others.

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
"""Length of the header and of the arrays, in bytes."""
_MOST_BYTES = 1 << 30
"""Of either. An upload is in the header, and may have a quarter of this (`Settings.max_body_bytes`)."""
_DTYPES = {kind.str: kind for kind in map(np.dtype, "?bhilqBHILQefd")}
"""The permitted types of arrays, by name. NumPy's own parser of such names accepts far more."""


class WireError(ValueError):
    """A message that cannot be encoded, or is invalid."""


class Setup(msgspec.Struct, frozen=True, array_like=True):
    """The first message to a process."""

    number: int
    """The answer repeats it, so that answers cannot be mixed up."""
    factory: str
    """Name of the function that makes the context of the process."""
    arguments: list[msgspec.Raw]
    memory_bytes: int
    confined: bool


class Call(msgspec.Struct, frozen=True, array_like=True):
    """Every later message to a process."""

    number: int
    job: str
    limit: float
    """Seconds the job may take."""
    arguments: list[msgspec.Raw]


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The answer to either message."""

    number: int
    succeeded: bool
    value: msgspec.Raw
    """The result, or the name of the exception's type."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Types of a function's arguments and of its result. `Any` is what MessagePack has."""

    arguments: tuple[Any, ...]
    result: Any

    def values(self, arguments: Sequence[msgspec.Raw], blobs: bytes | bytearray) -> list[Any]:
        """Decode the arguments of a message; the last ones may be missing.

        Raises:
            WireError: they have other types.
        """
        if len(arguments) > len(self.arguments):
            raise WireError("too many arguments")
        return [decode(one, blobs, kind) for one, kind in zip(arguments, self.arguments, strict=False)]


@cache
def signature(function: Callable[..., object], *, given: int = 0) -> Signature:
    """The types in the annotations of a function or class; without an annotation, `Any`.

    Args:
        given: number of first arguments that are not sent.
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
        raise WireError("a value that cannot be sent") from error
    return [_LENGTHS.pack(len(header), sum(len(blob) for blob in blobs)), header, *blobs]


def decode(header: bytes | bytearray | msgspec.Raw, blobs: bytes | bytearray, kind: Any) -> Any:
    """Decode a message, or a raw part of one; its arrays are writable where `blobs` is a bytearray.

    Raises:
        WireError: it is invalid, or not of type `kind`.
    """
    try:
        return msgspec.msgpack.decode(header, type=kind, dec_hook=partial(_whole, memoryview(blobs)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError("an invalid message") from error


def send_parts(channel: socket.socket, parts: Sequence[bytes | memoryview]) -> None:
    """Send a message, the result of `encode`.

    Raises:
        OSError: the other side has closed the channel.
    """
    rest = [memoryview(part) for part in parts if len(part)]
    while rest:
        # Arrays are sent without a copy.
        sent = channel.sendmsg(rest[:64])
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if sent:
            rest[0] = rest[0][sent:]


def receive(channel: socket.socket) -> tuple[bytearray, bytearray]:
    """Receive one message. Returns its header and the bytes of its arrays, for `decode`.

    Raises:
        EOFError: the other side has closed the channel.
        WireError: the lengths are invalid.
    """
    header_size, size = _sizes(_exactly(channel, _LENGTHS.size))
    return _exactly(channel, header_size), _exactly(channel, size)


def split(data: bytearray) -> tuple[bytearray, bytearray] | None:
    """Remove the first message from `data`. Returns its header and arrays; None while it is incomplete.

    Raises:
        WireError: the lengths are invalid.
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
