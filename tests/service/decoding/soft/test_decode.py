"""From soft bits to payloads: everything clean is read, the code's limit is reached, nothing is made up."""

import time
from math import comb
from typing import Any

import numpy as np
import pytest
import segno
from segno import consts

from service.decoding.soft import codewords
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import Level
from service.decoding.soft.decode import Decoded, decode_modules
from service.decoding.soft.effort import Effort
from tests.service.decoding.soft.modules import (
    SURE,
    clear,
    codeword_modules,
    noisy,
    segno_modules,
    text,
    version_of,
    zxing_modules,
)

# Table 9 gives small symbols fewer corrections than their distance allows, against misreading.
RESERVE = {(1, "L"): 3, (1, "M"): 2, (1, "Q"): 1, (1, "H"): 1, (2, "L"): 2, (3, "L"): 1}


def decoded(llr: np.ndarray, seconds: float = 20.0, **options: Any) -> Decoded | None:
    """With time enough for any machine."""
    return decode_modules(llr, version_of(llr), Effort(1e9, time.monotonic() + seconds), **options)


def message(version: int, level: Level, rng: np.random.Generator) -> tuple[Any, dict[str, str], bytes]:
    """Content, options and payload of one of five kinds, which fills part of the symbol or nearly all of it."""
    bits = 8 * codewords.block_structure(version, level).data_codewords - 60
    share = rng.choice([0.3, 0.8, 1.0])
    size = max(int(bits * share), 12)
    match (version + "LMQH".index(level)) % 5:
        case 0:
            digits = "".join(rng.choice(list("0123456789"), size * 3 // 10 - 3))
            return digits, {"mode": "numeric"}, digits.encode()
        case 1:
            letters = "".join(rng.choice(list("ABCDEF 0123456789$%*+-./:"), size * 2 // 11 - 1))
            return letters, {"mode": "alphanumeric"}, letters.encode()
        case 2:
            content = bytes(rng.integers(0, 256, max(size // 8, 1), dtype=np.uint8))
            return content, {"mode": "byte"}, content
        case 3:
            kanji = "".join(rng.choice(list("日本語点茗荷漢字熙"), max(size // 13, 1)))
            return kanji, {"mode": "kanji"}, kanji.encode("shift_jis")
        case _:
            hanzi = "".join(rng.choice(list("汉字二维码书法"), max(size // 13 - 1, 1)))
            return hanzi, {"mode": "hanzi"}, hanzi.encode("gb2312")


@pytest.mark.slow
@pytest.mark.parametrize("version", layout.VERSIONS)
def test_reads_every_version_and_level(version: int) -> None:
    rng = np.random.default_rng(version)
    for level in codewords.LEVELS:
        content, options, payload = message(version, level, rng)
        mask = int(rng.integers(8))
        dark = segno_modules(content, version=version, error=level.lower(), mask=mask, **options)
        found = decoded(clear(dark))
        assert found is not None, level
        assert found.payload == payload
        assert (found.version, found.level, found.mask) == (version, level, mask)
        assert found.segments[0].mode == options["mode"]
        assert (found.modules_corrected, found.codewords_corrected) == (0, 0)
        assert found.stage == "hard decisions"
        assert found.misread_bound < 1e-9


@pytest.mark.parametrize("mask", range(8))
@pytest.mark.parametrize("version", [1, 6, 7, 14])
def test_reads_every_mask(version: int, mask: int) -> None:
    found = decoded(clear(segno_modules("MASKED", version=version, error="m", mask=mask)))
    assert found is not None
    assert (found.mask, found.payload) == (mask, b"MASKED")


def test_mixed_segments() -> None:
    parts = [("8005551234", "numeric"), ("ABC-1", "alphanumeric"), ("été", "byte"), ("点茗", "kanji")]
    # segno takes segments too, which its types do not say.
    content: Any = [(part, getattr(consts, f"MODE_{mode.upper()}")) for part, mode in parts]
    symbol = segno.make(content, error="q")
    found = decoded(clear(np.array([list(row) for row in symbol.matrix_iter(border=0)], dtype=bool)))
    assert found is not None
    assert [segment.mode for segment in found.segments] == [mode for _, mode in parts]
    assert found.payload == b"8005551234ABC-1" + "été".encode("latin-1") + "点茗".encode("shift_jis")


def test_eci() -> None:
    found = decoded(clear(segno_modules("Ελληνικά", encoding="iso8859-7", eci=True)))
    assert found is not None
    (segment,) = found.segments
    assert (segment.eci, segment.encoding) == (9, "iso8859-7")
    assert found.payload.decode("iso8859-7") == "Ελληνικά"


def test_structured_append() -> None:
    content = "Structured append tells the place of each symbol in the whole."
    sequence = segno.make_sequence(content, symbol_count=4, boost_error=False)
    found = []
    for symbol in sequence:
        llr = clear(np.array([list(row) for row in symbol.matrix_iter(border=0)], dtype=bool))
        found.append(decoded(llr))
    parts = [part for part in found if part is not None]
    assert len(parts) == len(sequence) == 4
    assert b"".join(part.payload for part in parts) == content.encode()
    places = [part.message.structured_append for part in parts]
    parity = int(np.bitwise_xor.reduce(np.frombuffer(content.encode(), np.uint8)))
    assert [(at.index, at.total, at.parity) for at in places if at] == [(i, 4, parity) for i in range(4)]


@pytest.mark.parametrize("level", codewords.LEVELS)
def test_symbols_of_another_encoder(level: Level) -> None:
    rng = np.random.default_rng(ord(level))
    for version in (1, 4, 9, 13, 26, 33):
        content = text(rng, int(codewords.block_structure(version, level).data_codewords * 0.6) - 2)
        found = decoded(clear(zxing_modules(content, options=f"version={version}", ec_level=level)))
        assert found is not None, version
        assert (found.payload, found.level) == (content.encode(), level)


def test_gs1_and_binary_of_another_encoder() -> None:
    found = decoded(clear(zxing_modules("(01)09521234543213(10)ABC%12(21)5", gs1=True)))
    assert found is not None
    assert found.message.fnc1 == "first"
    assert found.payload == b"010952123454321310ABC%12\x1d215"
    found = decoded(clear(zxing_modules(b"\x00\xff ab\x00cd")))
    assert found is not None
    assert found.payload == b"\x00\xff ab\x00cd"


def damage(
    llr: np.ndarray,
    version: int,
    level: Level,
    errors: int,
    erasures: int,
    rng: np.random.Generator,
) -> None:
    """In every block: codewords with about half of their bits surely wrong, and codewords never seen."""
    for block in codeword_modules(version, level):
        places = rng.permutation(len(block))[: errors + erasures]
        for place in places[:errors]:
            bits = int(rng.integers(1, 256))
            chosen = block[place][[bool(bits >> bit & 1) for bit in range(8)]]
            llr[chosen[:, 0], chosen[:, 1]] *= -1
        for place in places[errors:]:
            llr[block[place][:, 0], block[place][:, 1]] = 0


@pytest.mark.slow
@pytest.mark.parametrize("level", codewords.LEVELS)
@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 7, 10, 16, 25])
def test_reads_to_the_limit_of_the_code(version: int, level: Level) -> None:
    """2 e + s <= d - 1 - p, wherever that leaves reason to believe the word.

    With e errors and s erasures the share of random words that would be read is about
    C(n - s, e) 255^e / 256^(checks - s), which erasures alone would bring to one.
    """
    rng = np.random.default_rng(100 * version + ord(level))
    structure = codewords.block_structure(version, level)
    spend = structure.checks - RESERVE.get((version, level), 0)
    content = text(rng, structure.data_codewords - 4)
    dark = segno_modules(content, version=version, error=level.lower(), mode="byte")
    tried = 0
    for erasures in (0, 1, 2, spend // 3, spend // 2, spend - 5, spend):
        errors = (spend - erasures) // 2
        spheres = sum(comb(structure.length - erasures, i) * 255**i for i in range(errors + 1))
        chances = 3 * (structure.checks if erasures else 1) * structure.blocks
        if chances * spheres / 256 ** (structure.checks - erasures) > 1e-8:
            continue
        llr = clear(dark)
        damage(llr, version, level, errors, erasures, rng)
        found = decoded(llr)
        assert found is not None, (errors, erasures)
        assert found.payload == content.encode()
        tried += erasures == 0 or erasures > 1
    assert tried >= 1 + (structure.checks >= 22)


@pytest.mark.parametrize("level", codewords.LEVELS)
def test_beyond_the_limit_nothing_is_made_up(level: Level) -> None:
    rng = np.random.default_rng(ord(level))
    for version in (1, 2, 3, 5):
        checks = codewords.block_structure(version, level).checks
        content = text(rng, codewords.block_structure(version, level).data_codewords - 3)
        dark = segno_modules(content, version=version, error=level.lower(), mode="byte")
        for more in (1, 2, 4):
            llr = clear(dark)
            damage(llr, version, level, checks // 2 + more, 0, rng)
            found = decoded(llr, 0.3)
            assert found is None or found.payload == content.encode()
            llr = clear(dark)
            damage(llr, version, level, 2, checks - 4 + more, rng)
            found = decoded(llr, 0.3)
            assert found is None or found.payload == content.encode()


@pytest.mark.parametrize(
    ("version", "level", "error_rate"),
    [(2, "L", 0.03), (2, "H", 0.10), (5, "M", 0.05), (5, "Q", 0.08), (10, "L", 0.015), (10, "H", 0.09)],
)
def test_reads_far_beyond_hard_decisions_where_errors_are_unsure(
    version: int, level: Level, error_rate: float
) -> None:
    rng = np.random.default_rng(version)
    structure = codewords.block_structure(version, level)
    read = 0
    for _ in range(5):
        content = text(rng, structure.data_codewords - 3)
        dark = segno_modules(content, version=version, error=level.lower(), mode="byte")
        llr = noisy(dark, error_rate, rng)
        found = decoded(llr)
        assert found is None or found.payload == content.encode()
        if found is not None:
            read += 1
            wrong = (llr > 0) != dark
            places = np.concatenate([layout.data_order(version), *layout.format_positions(version)])
            assert found.modules_corrected == wrong[places[:, 0], places[:, 1]].sum()
    assert read >= 4


def test_known_padding_helps() -> None:
    """The same noise on a message that fills the symbol and on one that leaves half of it to pads."""
    rng = np.random.default_rng(0)
    read = {40: 0, 106: 0}
    for _ in range(6):
        noise = rng.normal(size=(37, 37))
        for length in read:
            content = text(np.random.default_rng(length), length)
            dark = segno_modules(content, version=5, error="l", mode="byte", mask=1)
            received = np.where(dark, 1.0, -1.0) + 0.7 * noise
            found = decoded((2 * received / 0.49).astype(np.float32))
            read[length] += found is not None and found.payload == content.encode()
    assert read[106] == 0
    assert read[40] >= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["noise", "sure noise", "texture", "stripes", "flat", "nothing", "in place"])
def test_noise_is_never_read(kind: str) -> None:
    rng = np.random.default_rng(len(kind))
    for _ in range(60):
        version = int(rng.choice([1, 1, 1, 2, 2, 3, 4, 5]))
        n = layout.size(version)
        llr: np.ndarray
        if kind == "noise":
            llr = 3 * rng.normal(size=(n, n))
        elif kind == "texture":
            grain = int(rng.integers(2, 6))
            llr = np.kron(6 * rng.normal(size=(n, n)), np.ones((grain, grain)))[:n, :n]
        elif kind == "stripes":
            y, x = np.mgrid[:n, :n]
            llr = SURE * np.sin(x * rng.uniform(0, 3) + y * rng.uniform(0, 3))
        elif kind == "flat":
            llr = np.full((n, n), rng.choice([-SURE, SURE]))
        elif kind == "nothing":
            llr = np.zeros((n, n))
        else:
            llr = np.where(rng.random((n, n)) < 0.5, SURE, -SURE) * np.abs(rng.normal(size=(n, n)))
        if kind == "in place":
            known, dark = layout.function_pattern(version)
            llr[known] = np.where(dark[known], SURE, -SURE)
            word = layout.word_bits(layout.format_word(int(rng.integers(32))), layout.FORMAT_BITS)
            for positions in layout.format_positions(version):
                llr[positions[:, 0], positions[:, 1]] = np.where(word, SURE, -SURE)
        assert decoded(llr.astype(np.float32), 0.03) is None


def test_the_limit_decides() -> None:
    content = text(np.random.default_rng(3), 16)
    llr = clear(segno_modules(content, version=1, error="l", mode="byte"))
    found = decoded(llr)
    assert found is not None
    assert found.payload == content.encode()
    assert decoded(llr, limit=found.misread_bound * 0.9) is None
    # More hypotheses are more chances for chance.
    more = decoded(llr, hypotheses=1000)
    assert more is not None
    assert more.misread_bound == pytest.approx(1000 * found.misread_bound, rel=1e-6)


def test_an_exhausted_effort_ends_the_search() -> None:
    dark = segno_modules("x" * 100, version=10, error="l", mode="byte")
    llr = noisy(dark, 0.03, np.random.default_rng(1))
    assert decode_modules(llr, 10, Effort(1e9, time.monotonic() - 1)) is None
    assert decode_modules(llr, 10, Effort(0, time.monotonic() + 60)) is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="21 x 21"):
        decode_modules(np.zeros((25, 25), dtype=np.float32), 1)
    with pytest.raises(ValueError, match="finite"):
        decode_modules(np.full((21, 21), np.nan, dtype=np.float32), 1)
    with pytest.raises(ValueError, match="versions are 1 to 40"):
        decode_modules(np.zeros((181, 181), dtype=np.float32), 41)
