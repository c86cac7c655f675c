"""Text from bytes: what its encoding makes of them, and right for the encodings in use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decoding.eci import ECI_CODECS
from service.decoding.payload import interpret, interpret_bytes
from service.decoding.soft import Segment


def text_of(payload: bytes, eci: int | None = None) -> tuple[str | None, str | None]:
    found = interpret([Segment("byte", payload, eci, None)])
    return found.text, found.encoding


@given(st.binary(max_size=64), st.one_of(st.none(), st.integers(0, 40)))
def test_text_is_what_its_encoding_makes_of_the_payload(payload: bytes, eci: int | None) -> None:
    text, encoding = text_of(payload, eci)
    assert (text is None) == (encoding is None)
    if text is not None and encoding is not None:
        assert payload.decode(encoding) == text
        assert not any(0x80 <= ord(c) <= 0x9F for c in text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_utf_8_is_recognised_whatever_it_says(text: str) -> None:
    assert text_of(text.encode()) == (text, "utf-8")


@pytest.mark.slow
@given(st.text(st.characters(codec="iso8859-5", exclude_categories=["Cc"]), min_size=1, max_size=20))
def test_eci_is_taken_at_its_word(text: str) -> None:
    assert text_of(text.encode("iso8859-5"), 7) == (text, "iso8859-5")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("こんにちは世界", "shift_jis"),
        ("カタカナ", "shift_jis"),
        ("東京都千代田区1-1", "shift_jis"),
        ("iPhone手机", "gb2312"),
        ("京A·12345", "gbk"),
        ("Grüße", "iso8859-1"),
        ("à bientôt, Noël", "iso8859-1"),
        ("España", "iso8859-1"),
    ],
)
def test_encodings_in_use_are_recognised_without_eci(text: str, codec: str) -> None:
    assert text_of(text.encode(codec)) == (text, codec)


@pytest.mark.parametrize(
    "payload", [b"\x01\x02\x03", b"\x7f\x00", b"\xc2\x85", "É\x00\x0b".encode("latin-1")]
)
def test_control_characters_and_hardly_anything_else_are_binary(payload: bytes) -> None:
    assert text_of(payload) == (None, None)


@pytest.mark.parametrize("text", ["\x02SN1\x03", "abc\x1b[0m", "ab\0cd", "[)>\x1e06\x1dSABC\x1e\x04"])
def test_ascii_with_control_characters_is_text_by_the_standard(text: str) -> None:
    found = interpret_bytes(text.encode())
    assert (found.text, found.encoding, found.source) == (text, "utf-8", "standard")


@pytest.mark.parametrize("eci", [899, 999999])
def test_binary_and_unknown_eci_stay_bytes(eci: int) -> None:
    assert text_of(b"abc", eci) == (None, None)


def test_what_a_windows_encoding_adds_under_an_iso_eci_is_guessed() -> None:
    found = interpret([Segment("byte", b"10 \x80", 3, None)])
    assert (found.text, found.encoding, found.source) == ("10 €", "cp1252", "guessed")


def test_bytes_that_contradict_their_eci_stay_bytes() -> None:
    assert text_of(b"\xff\xfe", 26) == (None, None)


@pytest.mark.parametrize("codec", sorted(set(ECI_CODECS.values())))
def test_every_codec_of_the_register_exists(codec: str) -> None:
    assert "A".encode(codec).decode(codec) == "A"
