"""The text model is a probability distribution, small, and good at what payloads are made of."""

import math
import random

import pytest

from service.decoding.soft.prior.automaton import MODEL_FILE, payload_model
from service.decoding.soft.prior.characters import alphanumeric_model, double_byte_model

# Written for this test, after no grammar.
URLS = (
    b"https://www.hafenmuseum-nordkai.de/fuehrungen/2024/sommer?ref=aushang",
    b"http://m.bikerental.co.uk/stations/oxford-street-12",
    b"https://forms.office.com/r/Qk3xYp81Zu",
    b"https://www.ville-aubagne.fr/agenda/concerts/jazz",
    b"https://warranty.acmetools.com/register?sn=AX20981&lang=en",
    b"https://youtu.be/9bZkp7q19f0",
    b"http://www.ristorantedaluigi.it/menu.pdf",
    b"https://tickets.opernhaus.ch/de/event/48213",
    b"https://shop.app/track?id=9f8a7c",
    b"HTTPS://WWW.PARCELPOINT.EU/T/4471",
)


def bits_a_byte(texts: "tuple[bytes, ...] | list[bytes]") -> float:
    model = payload_model()
    return -sum(model.log_probability(text) for text in texts) / math.log(2) / sum(map(len, texts))


@pytest.mark.parametrize(
    "before", [b"", b"h", b"https://ww", b"\xff\x00", b"BEGIN:VCARD\nN:", "Schön".encode(), b"a9Kq"]
)
def test_chances_of_the_next_byte_add_up_to_one(before: bytes) -> None:
    model = payload_model()
    one = model.log_probability(before) if before else 0.0
    total = sum(math.exp(model.log_probability(before + bytes([byte])) - one) for byte in range(256))
    assert total == pytest.approx(1.0, abs=1e-9)


def test_the_model_is_small() -> None:
    assert MODEL_FILE.stat().st_size < 300_000


def test_urls_that_it_never_saw_take_less_than_four_and_a_half_bits_a_byte() -> None:
    assert 2.0 < bits_a_byte(URLS) < 4.5


def test_arbitrary_bytes_take_hardly_more_than_eight() -> None:
    rng = random.Random(6)
    assert 8.0 < bits_a_byte([rng.randbytes(60) for _ in range(40)]) <= 8.05


@pytest.mark.parametrize(
    "text", ["Тестовое сообщение", "ข้อความทดสอบ", "پیام آزمایشی", "ტესტი", "\x00\x01\x7f", "ᚠᛇᚻ"]
)
def test_no_text_is_impossible(text: str) -> None:
    assert bits_a_byte([text.encode() * 4]) < 9.0


def test_the_characters_of_other_modes_have_chances_that_add_up_to_one() -> None:
    assert alphanumeric_model().following.sum(axis=1) == pytest.approx([1.0] * 46)
    for mode in ("kanji", "hanzi"):
        assert double_byte_model(mode).sum() == pytest.approx(1.0)
