"""Symbols that take the payload model to be read, and receptions that must not be read with it either."""

import time
from typing import Any

import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from service.decoding.soft import codewords
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.decode import decode_modules
from service.decoding.soft.effort import Effort
from service.decoding.soft.prior.joint import decode_with_prior, outlook
from tests.service.decoding.soft.modules import segno_modules, version_of

Soft = NDArray[np.float32]


def fading(dark: NDArray[np.bool_], error_rate: float, rng: np.random.Generator) -> Soft:
    """Calibrated soft bits after white noise under Rayleigh fading that turns this share of the modules."""
    root = 1 - 2 * error_rate
    amplitude = np.sqrt(2 * root**2 / (1 - root**2) * rng.exponential(size=dark.shape))
    received = np.where(dark, amplitude, -amplitude) + rng.normal(size=dark.shape)
    return (2 * amplitude * received).astype(np.float32)


def with_prior(llr: Soft, version: int) -> bytes | None:
    found = decode_with_prior(llr, version, Effort(500.0, time.monotonic() + 20))
    if found is not None:
        assert found.prior
        assert found.misread_bound <= 1e-8
    return None if found is None else found.payload


CONTENTS = {
    "URL": "https://www.stadtbad.example/kurse/anmeldung?kurs=12",
    "Wi-Fi": "WIFI:T:WPA;S:Cafe Central;P:espresso99;;",
    "capitals": "HTTPS://EXAMPLE.COM/TICKET/2024",
    "contact": "MECARD:N:Doe,Jane;TEL:+441632960961;EMAIL:jane@example.org;;",
    "text": "Die Ausstellung ist bis zum 31. Oktober geöffnet.",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_reads_what_cannot_be_read_without(name: str) -> None:
    dark = segno_modules(CONTENTS[name].encode(), error="l", mask=2)
    rng = np.random.default_rng(4)
    version = version_of(dark)
    both = [
        (decode_modules(llr, version), with_prior(llr, version))
        for llr in (fading(dark, 0.075, rng) for _ in range(8))
    ]
    payloads = {payload for _, payload in both} - {None}
    # Digits and capitals have little for a model to know, so the margin differs.
    assert payloads == {CONTENTS[name].encode()}
    gained = sum(without is None and payload is not None for without, payload in both)
    assert gained >= 2


def test_reads_symbols_of_several_blocks() -> None:
    text = "https://www.museum-am-hafen.example/ausstellung/licht-und-schatten?sprache=de&quelle=plakat"
    dark = segno_modules(text, error="m", mask=5)
    version = version_of(dark)
    assert codewords.block_structure(version, "M").blocks > 1
    rng = np.random.default_rng(2)
    read = [with_prior(fading(dark, 0.11, rng), version) for _ in range(5)]
    assert read.count(text.encode()) >= 3
    assert set(read) <= {text.encode(), None}


def test_reads_two_segments() -> None:
    parts: Any = ["0123456789012", "https://a.example/"]
    symbol = segno.make(parts, error="m", boost_error=False, micro=False, mask=1)
    dark = np.array([list(row) for row in symbol.matrix], dtype=bool)
    rng = np.random.default_rng(3)
    read = [with_prior(fading(dark, 0.09, rng), version_of(dark)) for _ in range(6)]
    assert read.count(b"0123456789012https://a.example/") >= 3


def test_a_plausible_neighbour_is_not_taken_for_the_printed_payload() -> None:
    """A printed URL with an odd letter, received so badly that the model would rather have another."""
    odd = "https://www.exqmple.com/shop"
    dark = segno_modules(odd, error="l", mask=0)
    rng = np.random.default_rng(7)
    read = [
        with_prior(fading(dark, rate, rng), version_of(dark))
        for rate in (0.05, 0.07, 0.09)
        for _ in range(10)
    ]
    assert set(read) <= {odd.encode(), None}
    assert odd.encode() in read


def test_nothing_is_read_where_nothing_was_printed() -> None:
    rng = np.random.default_rng(12)
    for version in (1, 1, 2, 3, 5):
        modules = layout.size(version)
        llr = rng.normal(size=(modules, modules)).astype(np.float32) * 3
        known, function = layout.function_pattern(version)
        llr[known] = np.where(function[known], 6.0, -6.0)
        for positions in layout.format_positions(version):
            word = layout.word_bits(layout.format_word(int(rng.integers(32))), layout.FORMAT_BITS)
            llr[positions[:, 0], positions[:, 1]] = np.where(word, 6.0, -6.0)
        assert with_prior(llr, version) is None


def test_what_is_hopeless_is_not_begun() -> None:
    dark = segno_modules("https://www.example.org/", error="l", mask=2)
    rng = np.random.default_rng(1)
    assert outlook(fading(dark, 0.04, rng), version_of(dark)) < -18.5
    assert outlook(fading(dark, 0.35, rng), version_of(dark)) > -18.5
    effort = Effort(1000.0, time.monotonic() + 20)
    assert decode_with_prior(fading(dark, 0.35, rng), version_of(dark), effort) is None
    assert not effort.exhausted
