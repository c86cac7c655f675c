"""Which text the payloads of `payloads` are given, and how often the wrong one."""

import random

import pytest

from service.decoding.charsets import guess
from service.decoding.payload import interpret, interpret_bytes
from service.decoding.soft import Segment
from tests.service.decoding.charsets.payloads import Payload, certain, undeclared

UNDECLARED, CERTAIN = undeclared(), certain()


def segments(payload: Payload) -> list[Segment]:
    """As a reader has them: an ECI holds until the next one."""
    found: list[Segment] = []
    eci = None
    for part in payload.parts:
        eci = eci if part.eci is None else part.eci
        found.append(Segment(part.mode, part.data, eci, None))  # type: ignore[arg-type]
    return found


def test_there_are_payloads_enough_of_all_kinds() -> None:
    assert len(UNDECLARED) + len(CERTAIN) >= 500
    assert len({payload.kind for payload in [*UNDECLARED, *CERTAIN]}) >= 100


@pytest.mark.parametrize("payload", CERTAIN, ids=lambda payload: payload.kind)
def test_text_of_what_needs_no_guessing(payload: Payload) -> None:
    part = payload.head is not None and payload.head.sequence is not None
    found = interpret(segments(payload), part=part)
    assert found.text == payload.text
    assert (found.text is None) == (found.encoding is None) == (found.source is None)
    if payload.source is not None:
        assert found.source == payload.source


def test_undeclared_text_is_nearly_always_right_and_hardly_ever_wrong() -> None:
    """The library alone (chardetng) gives 343 of 392 right and 49 wrong."""
    texts = [interpret(segments(payload)).text for payload in UNDECLARED]
    right = sum(text == payload.text for text, payload in zip(texts, UNDECLARED, strict=True))
    none = texts.count(None)
    assert right >= 0.92 * len(texts)
    assert len(texts) - right - none <= 0.055 * len(texts)


def test_undeclared_text_is_called_guessed() -> None:
    found = [interpret(segments(payload)) for payload in UNDECLARED]
    assert {one.source for one in found if one.text is not None} == {"guessed"}


@pytest.mark.parametrize(
    ("language", "least"),
    [("japanese cp932", 0.9), ("chinese gb18030", 0.9), ("korean euc_kr", 0.85), ("german cp1252", 0.95)],
)
def test_the_encodings_of_most_symbols_are_recognised(language: str, least: float) -> None:
    ours = [payload for payload in UNDECLARED if payload.kind == language]
    right = sum(interpret(segments(payload)).text == payload.text for payload in ours)
    assert right >= least * len(ours)


def test_the_guess_says_how_likely_it_is() -> None:
    found = guess("ありがとうございました".encode("cp932"))
    assert found is not None
    assert found.probability > 0.99


@pytest.mark.parametrize("data", [b"\xff", bytes(range(128, 256)), b"\x80\x81\x82\xff\xfe\xfd", b"\xa0"])
def test_what_nobody_writes_is_no_text(data: bytes) -> None:
    assert guess(data) is None


def test_random_bytes_are_hardly_ever_text() -> None:
    rng = random.Random(27)
    keys = [rng.randbytes(16) for _ in range(500)]
    assert sum(interpret_bytes(key).text is not None for key in keys) <= 5
    assert not [key for key in keys if interpret_bytes(key + rng.randbytes(16)).text is not None]
