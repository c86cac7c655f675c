"""Text from bytes: never lossy, never a control character, and right for the encodings in use."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.decoding.eci import ECI_CODECS
from service.decoding.payload import interpret

TEXT_CONTROLS = set("\t\n\r\x04\x1c\x1d\x1e\x1f")


def _is_utf_8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary(max_size=64), st.lists(st.integers(0, 40), max_size=2))
def test_text_always_turns_back_into_the_payload(payload: bytes, eci: list[int]) -> None:
    text, encoding = interpret(payload, eci)
    assert (text is None) == (encoding is None)
    if text is not None and encoding is not None:
        assert text.encode(encoding) == payload
        assert not {c for c in text if unicodedata.category(c) == "Cc"} - TEXT_CONTROLS


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_utf_8_is_recognised_whatever_it_says(text: str) -> None:
    assert interpret(text.encode()) == (text, "utf-8")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_nul_makes_it_binary(before: bytes, after: bytes) -> None:
    assert interpret(before + b"\0" + after) == (None, None)


@given(st.text(st.characters(codec="iso8859-5", exclude_categories=["Cc"]), min_size=1, max_size=20))
def test_eci_is_taken_at_its_word(text: str) -> None:
    assert interpret(text.encode("iso8859-5"), [7]) == (text, "iso8859-5")


@given(
    st.text(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5, codec="gb2312"), min_size=1, max_size=20
    )
)
def test_chinese_characters_of_gb2312_are_recognised(text: str) -> None:
    assume(not _is_utf_8(text.encode("gb2312")))
    assert interpret(text.encode("gb2312")) == (text, "gb2312")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("こんにちは世界", "shift_jis"),
        ("カタカナ", "shift_jis"),
        ("東京都千代田区1-1", "shift_jis"),
        ("iPhone手机", "gb2312"),
        ("京A・12345", "gb2312"),
        ("Grüße", "iso8859-1"),
        ("à bientôt, Noël", "iso8859-1"),
        ("España", "iso8859-1"),
    ],
)
def test_encodings_in_use_are_recognised_without_eci(text: str, codec: str) -> None:
    assert interpret(text.encode(codec)) == (text, codec)


@pytest.mark.parametrize("payload", [b"\x01\x02\x03", b"abc\x1b[0m", b"\x7f", b"\xc2\x85"])
def test_control_characters_make_it_binary(payload: bytes) -> None:
    assert interpret(payload) == (None, None)


def test_separators_of_gs1_and_of_iso_15434_are_text() -> None:
    payload = b"[)>\x1e06\x1dSABC\x1e\x04"
    assert interpret(payload) == (payload.decode(), "utf-8")


@pytest.mark.parametrize("eci", [[899], [999999], [7, 26]])
def test_binary_unknown_and_mixed_eci_stay_bytes(eci: list[int]) -> None:
    assert interpret(b"abc", eci) == (None, None)


def test_bytes_that_contradict_their_eci_stay_bytes() -> None:
    assert interpret(b"\xff\xfe", [26]) == (None, None)


@pytest.mark.parametrize("codec", sorted(set(ECI_CODECS.values())))
def test_every_codec_of_the_register_exists(codec: str) -> None:
    assert "A".encode(codec).decode(codec) == "A"
