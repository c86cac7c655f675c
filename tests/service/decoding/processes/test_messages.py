"""Messages between parent and decoder process: what goes in comes out, and nothing but what was expected."""

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.decoding import jobs
from service.decoding.processes import messages
from service.decoding.reading import Reading
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles
from service.pipeline import upload_jobs

READING = Reading(
    b"\0\xff", None, None, ((0.5, 1.0), (2.0, 1.0), (2.0, 3.0), (0.5, 3.0)), "zxing", "sr-zxing"
)

WHOLE = st.integers(-(2**63), 2**64 - 1)
"""What MessagePack has."""
plain = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def through(value: object, kind: Any) -> Any:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=messages.send_parts, args=(ours, messages.encode(value)))
        sender.start()
        try:
            return messages.decode(*messages.receive(theirs), kind)
        finally:
            sender.join()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(plain)
def test_plain_values_come_out_as_they_went_in(value: object) -> None:
    assert through(value, Any) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (READING, Reading),
        ([READING, READING], list[Reading]),
        (WeChatFiles(*map(Path, "abcd")), WeChatFiles | None),
        (None, WeChatFiles | None),
        (SoftCalibration((-1.0, 1.0), (-2.0, 2.0)), SoftCalibration),
        ({"refused": "damaged_image", "detail": "the image"}, upload_jobs.Answer),
        ({"size": (3, 4), "seconds": 0.1, "readings": [READING]}, upload_jobs.Answer),
        (bytes(range(256)), bytes),
        ({"data": bytes(100_000)}, dict[str, bytes]),
        ("\ud55c\0\U0001f600", str),
    ],
)
def test_our_own_types_come_out_as_they_went_in(value: object, kind: Any) -> None:
    back = through(value, kind)
    assert back == value
    assert type(back) is type(value)


def test_bytes_are_sent_as_they_are() -> None:
    """An upload costs its own length, not that of its base64, and is found in the message unchanged."""
    upload = bytes(range(256)) * 100
    sent = b"".join(messages.encode(("job", upload)))
    assert upload in sent
    assert len(sent) < len(upload) + 40


def test_numbers_of_numpy_are_numbers() -> None:
    points = tuple((np.float64(x), np.float32(0.5)) for x in range(4))
    assert through(points, list[tuple[float, float]]) == [(0.0, 0.5), (1.0, 0.5), (2.0, 0.5), (3.0, 0.5)]


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64, np.bool_])
def test_arrays_are_whole_of_their_type_and_writable(dtype: type) -> None:
    whole: NDArray[Any] = (np.arange(600 * 700) % 2000).reshape(600, 700).astype(dtype)
    for sent in (whole, whole[::2, 5:-5], whole.T, whole[:0], np.array(whole[3, 4])):
        back = through({"first": sent, "second": sent}, dict[str, NDArray[Any]])["second"]
        assert back.dtype == whole.dtype
        np.testing.assert_array_equal(back, sent)
        back.fill(1)


@pytest.mark.parametrize(
    "value", [object(), np.array([object()]), 1j, print, np.datetime64("2020"), np.zeros(3, ">f4")]
)
def test_nothing_else_can_be_sent(value: object) -> None:
    with pytest.raises(messages.WireError):
        messages.encode([value])


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        (["|u1", [9], 0, 4], NDArray[np.uint8]),
        (["|u1", [9], 0, 9], NDArray[np.uint8]),
        (["|u1", [2], -1, 2], NDArray[np.uint8]),
        (["|O", [1], 0, 8], NDArray[np.uint8]),
        (["1(", [8], 0, 8], NDArray[np.uint8]),
        ([["|u1"], [8], 0, 8], NDArray[np.uint8]),
        (["|u1", ["x"], 0, 8], NDArray[np.uint8]),
        (["|u1", [8], "0", 8], NDArray[np.uint8]),
        (["<f4", [-1], 0, 4], NDArray[np.float32]),
        (["<f4", [1]], NDArray[np.float32]),
        ([None, [1], 0, 4], NDArray[np.float32]),
        ("<f4", NDArray[np.float32]),
        ({"payload": "text"}, Reading),
        ({"payload": "", "text": None}, Reading),
        ({"size": [1, 2, 3]}, upload_jobs.Answer),
        ({"readings": ["os:system"]}, upload_jobs.Answer),
        ({"logit": [0.0, 1.0], "llr": [1.0, 0.0]}, SoftCalibration),
        (1, str),
        ([1, True], messages.Answer),
        ("x", type(print)),
    ],
)
def test_what_was_never_sent_is_not_understood(plain: object, kind: Any) -> None:
    with pytest.raises(messages.WireError):
        messages.decode(msgspec.msgpack.encode(plain), b"12345678", kind)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(plain | st.tuples(st.text(), st.lists(WHOLE), WHOLE, WHOLE))
def test_whatever_is_said_of_an_array_is_understood_or_not(said: object) -> None:
    with contextlib.suppress(messages.WireError):
        assert isinstance(
            messages.decode(msgspec.msgpack.encode(said), b"12345678", NDArray[Any]), np.ndarray
        )


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60), st.binary(max_size=8), st.sampled_from([Any, messages.Answer, NDArray[np.uint8]])
)
def test_noise_is_not_understood_or_harmless(header: bytes, blobs: bytes, kind: Any) -> None:
    with contextlib.suppress(messages.WireError):
        messages.decode(header, blobs, kind)


def test_nesting_without_end_is_not_understood() -> None:
    with pytest.raises(messages.WireError):
        messages.decode(b"\x91" * 1_000_000, b"", Any)


@pytest.mark.parametrize(
    "job",
    [jobs.zxing, jobs.wechat, jobs.wechat_plain, jobs.soft, upload_jobs.read_upload, upload_jobs.open_upload],
)
def test_jobs_say_the_types_of_what_is_sent(job: Callable[..., object]) -> None:
    kinds = messages.signature(job, given=1)
    assert Any not in (*kinds.arguments, kinds.result)
    for kind in (*kinds.arguments, kinds.result):
        msgspec.msgpack.Decoder(kind)


def test_arguments_by_their_types_the_last_ones_may_be_missing() -> None:
    def job(context: object, image: NDArray[np.uint8], name: str, often: int = 1) -> None: ...

    kinds = messages.signature(job, given=1)
    assert kinds.arguments == (NDArray[np.uint8], str, int)
    blobs = bytearray(b"ab")
    array: list[Any] = ["|u1", [2], 0, 2]
    image, name = kinds.values([msgspec.Raw(msgspec.msgpack.encode(one)) for one in (array, "x")], blobs)
    assert (image.tolist(), name) == ([97, 98], "x")
    for wrong in (["x"], [array, 1], [array, "x", 1, 1]):
        with pytest.raises(messages.WireError):
            kinds.values([msgspec.Raw(msgspec.msgpack.encode(one)) for one in wrong], blobs)


def test_a_length_that_cannot_be_is_refused_before_it_is_allocated() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall((2**31).to_bytes(4, "little") + (2**62).to_bytes(8, "little"))
        with pytest.raises(messages.WireError):
            messages.receive(theirs)


@given(st.lists(st.text(max_size=40), max_size=4), st.data())
def test_messages_are_found_however_they_arrive(said: list[str], data: st.DataObject) -> None:
    stream = b"".join(b"".join(messages.encode((text, np.arange(3)))) for text in said)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    heard, found = bytearray(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        heard += stream[begin:end]
        while (whole := messages.split(heard)) is not None:
            text, array = messages.decode(*whole, tuple[str, np.ndarray])
            assert array.tolist() == [0, 1, 2]
            found.append(text)
    assert found == said
    assert not heard


def test_the_end_of_the_channel_is_no_message() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(b"\x05\0")
        ours.close()
        with pytest.raises(EOFError):
            messages.receive(theirs)
