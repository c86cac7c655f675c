"""Messages between parent and decoder process: what goes in comes out, and nothing else is understood."""

import contextlib
import json
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.decoding import wire
from service.decoding.reading import Reading
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles

READING = Reading(
    b"\0\xff", None, None, ((0.5, 1.0), (2.0, 1.0), (2.0, 3.0), (0.5, 3.0)), "zxing", "sr-zxing"
)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


def through(value: object) -> object:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=wire.send, args=(ours, value))
        sender.start()
        try:
            return wire.receive(theirs)
        finally:
            sender.join()


@settings(max_examples=40, deadline=None)
@given(plain)
def test_plain_values_come_out_as_they_went_in(value: object) -> None:
    assert through(value) == value


@pytest.mark.parametrize(
    "value",
    [READING, [READING, READING], WeChatFiles(*map(Path, "abcd")), SoftCalibration((-1.0, 1.0), (-2.0, 2.0))],
)
def test_our_own_types(value: object) -> None:
    assert through(value) == value


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64, np.bool_])
def test_arrays_are_whole_of_their_type_and_writable(dtype: type) -> None:
    array = (np.arange(600 * 700) % 2000).reshape(600, 700).astype(dtype)
    for sent in (array, array[::2, 5:-5], array.T, array[:0], array[3, 4]):
        back = through([sent])[0] if isinstance(sent, np.ndarray) else through([np.array(sent)])[0]  # type: ignore[index]
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, sent)
        back.fill(1)


@dataclass
class Other:
    x: int = 1


@pytest.mark.parametrize("value", [object(), Other(), {1: 2}, np.array([object()]), {3}, 1j, print])
def test_nothing_else_can_be_sent(value: object) -> None:
    with pytest.raises(wire.WireError):
        wire.encode([value])


@pytest.mark.parametrize(
    "plain",
    [
        ["Other", 1],
        ["os:system", "true"],
        ["bytes", 0, 9],
        ["bytes", -1, 1],
        ["array", "|u1", [9], 0, 4],
        ["array", "|O", [1], 0, 8],
        ["array", "<f4", [-1], 0, 4],
        ["Reading", 1],
        ["path", 1],
        [],
        [["list"]],
    ],
)
def test_what_was_never_sent_is_not_understood(plain: object) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(json.dumps(plain).encode(), b"12345678")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=8))
def test_noise_is_not_understood_or_harmless(header: bytes, blobs: bytes) -> None:
    with contextlib.suppress(wire.WireError):
        wire.decode(header, blobs)


def test_a_length_that_cannot_be_is_refused_before_it_is_allocated() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall((2**31).to_bytes(4, "little") + (2**62).to_bytes(8, "little"))
        with pytest.raises(wire.WireError):
            wire.receive(theirs)


def test_the_end_of_the_channel_is_no_message() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(b"\x05\0")
        ours.close()
        with pytest.raises(EOFError):
            wire.receive(theirs)
