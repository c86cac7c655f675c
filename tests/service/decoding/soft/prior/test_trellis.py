"""The weighted messages of a symbol: they add up to 1, and each weighs what the model and the soft bits say."""

import math
from typing import Any

import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from service.decoding.soft import codewords
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.prior.automaton import payload_model
from service.decoding.soft.prior.evidence import bit_evidence
from service.decoding.soft.prior.trellis import Trellis
from tests.service.decoding.soft.modules import segno_modules

PAYLOADS: dict[str, bytes | list[bytes]] = {
    "URL": b"http://ab.cd/e",
    "alphanumeric": b"HELLO 12",
    "digits": b"123456789",
    "kanji": "点茗".encode("shift_jis"),
    "arbitrary bytes": b"\xff\x00\x13\x88zz",
    "digits and bytes": [b"01234567", b"ab/c"],
}


def data_bits(dark: NDArray[np.bool_], mask: int, error_rate: float, seed: int) -> NDArray[np.float64]:
    """Soft data bits of a symbol 1-L after white noise under Rayleigh fading."""
    rng = np.random.default_rng(seed)
    root = 1 - 2 * error_rate
    amplitude = np.sqrt(2 * root**2 / (1 - root**2) * rng.exponential(size=dark.shape))
    received = 2 * amplitude * (np.where(dark, amplitude, -amplitude) + rng.normal(size=dark.shape))
    soft = codewords.block_reliabilities(received.astype(np.float32), 1, "L", mask)
    return soft[0, :19].reshape(-1).astype(np.float64)


def trellis_of(
    content: Any, error_rate: float, seed: int = 5
) -> tuple[Trellis, NDArray[np.float64], NDArray[np.uint8]]:
    """The messages of a symbol 1-L, its soft bits and its true bits."""
    parts: Any = [part.decode("latin1") for part in content] if isinstance(content, list) else content
    symbol = segno.make(parts, error="l", version=1, boost_error=False, micro=False)
    dark = np.array([list(row) for row in symbol.matrix], dtype=bool)
    llr = data_bits(dark, symbol.mask, error_rate, seed)
    clear = np.where(dark, 9.0, -9.0).astype(np.float32)
    true = codewords.block_reliabilities(clear, 1, "L", symbol.mask)[0, :19].reshape(-1) > 0
    return Trellis(llr, 1, "L"), llr, true.astype(np.uint8)


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("place", [0, 9, 44, 100, 146])
def test_shares_of_all_values_of_six_bits_add_up_to_one(name: str, place: int) -> None:
    trellis, llr, _ = trellis_of(PAYLOADS[name], 0.15)
    known = np.zeros(len(llr), dtype=bool)
    known[place : place + 6] = True
    total = 0.0
    for value in range(64):
        bits = np.zeros(len(llr), dtype=np.uint8)
        bits[place : place + 6] = [value >> shift & 1 for shift in range(6)]
        total += math.exp(trellis.log_share(bits, known, np.zeros_like(known)))
    assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_bits_posterior_is_the_share_of_the_messages_that_have_it(name: str) -> None:
    trellis, llr, _ = trellis_of(PAYLOADS[name], 0.15)
    posterior = 1 / (1 + np.exp(-trellis.posterior(llr)))
    ones = np.ones(len(llr), dtype=np.uint8)
    for bit in range(0, len(llr), 3):
        known = np.zeros(len(llr), dtype=bool)
        known[bit] = True
        share = math.exp(trellis.log_share(ones, known, np.zeros_like(known)))
        assert posterior[bit] == pytest.approx(share, abs=1e-3)


def test_given_bits_divide_the_shares_by_their_own() -> None:
    trellis, llr, true = trellis_of(PAYLOADS["URL"], 0.1)
    first, second = np.zeros(len(llr), dtype=bool), np.zeros(len(llr), dtype=bool)
    first[:60], second[60:] = True, True
    whole = trellis.log_share(true, first | second, np.zeros_like(first))
    chain = trellis.log_share(true, first, np.zeros_like(first)) + trellis.log_share(true, second, first)
    assert whole == pytest.approx(chain, abs=1e-9)


def test_two_texts_of_one_length_weigh_by_model_and_soft_bits() -> None:
    one, other = b"http://a.com/b", b"http://b.com/b"
    bits = {text: _stream(text) for text in (one, other)}
    llr = np.where(bits[one] == 1, 2.0, -2.0)
    trellis = Trellis(llr, 1, "L")
    every = np.ones(152, dtype=bool)
    shares = {text: trellis.log_share(bits[text], every, ~every) for text in (one, other)}
    model = payload_model()
    expected = model.log_probability(one) - model.log_probability(other)
    expected += 2.0 * int((bits[one] != bits[other]).sum())
    assert shares[one] - shares[other] == pytest.approx(expected, rel=1e-3)


def _stream(text: bytes) -> NDArray[np.uint8]:
    """Data bits of a symbol 1-L with one segment of bytes."""
    stream = int.from_bytes((0b0100 << 8 | len(text)).to_bytes(2)) << 8 * len(text) | int.from_bytes(text)
    size = 12 + 8 * len(text)
    bits = [stream >> shift & 1 for shift in range(size - 1, -1, -1)] + [0] * 4
    pads = np.array(([0xEC, 0x11] * 10)[: 19 - len(bits) // 8], dtype=np.uint8)
    return np.array(bits + np.unpackbits(pads).tolist(), dtype=np.uint8)


def test_the_true_message_keeps_its_share_where_bits_are_clear() -> None:
    for name, content in PAYLOADS.items():
        trellis, llr, true = trellis_of(content, 0.001)
        every = np.ones(len(llr), dtype=bool)
        assert trellis.log_share(true, every, ~every) > math.log(0.9), name


@pytest.mark.slow
def test_random_soft_bits_have_evidence_of_one_on_average() -> None:
    """The sum of weight times evidence over all messages has mean 1 where nothing was printed."""
    rng = np.random.default_rng(8)
    totals = []
    for _ in range(60):
        llr = rng.normal(size=152) * 1.5
        totals.append(Trellis(llr, 1, "L").log_evidence)
    # A mean of heavy tails; what is asked is that it is no more than 1 by much, and that it is no constant.
    assert np.exp(totals).mean() < 2.0
    assert np.std(totals) > 0.1


def test_evidence_for_a_bits_two_values_has_mean_one() -> None:
    llr = np.array([-40.0, -3.0, 0.0, 0.5, 12.0])
    assert np.exp(bit_evidence(llr)).mean(axis=1) == pytest.approx(np.ones(5))


def test_messages_of_other_versions_are_followed() -> None:
    payload = b"https://www.shop.example/table/12?lang=de&utm_source=qr and a little more to fill it, so that it takes"
    dark = segno_modules(payload, version=10, error="q", mask=3)
    structure = codewords.block_structure(10, "Q")
    clear = np.where(dark, 12.0, -12.0).astype(np.float32)
    soft = codewords.block_reliabilities(clear, 10, "Q", 3)[:, : structure.length - structure.checks]
    llr = soft[codewords.interleaving(10, "Q")[:, : soft.shape[1]] >= 0].reshape(-1).astype(np.float64)
    assert layout.size(10) == len(dark)
    trellis = Trellis(llr, 10, "Q")
    assert (np.sign(trellis.posterior(llr)) == np.sign(llr)).all()
