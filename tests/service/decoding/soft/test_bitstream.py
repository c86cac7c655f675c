"""Messages written by hand, bit by bit, from the clauses of the standard."""

import codecs

import numpy as np
import pytest
from segno import consts

from service.decoding.soft import bitstream
from service.decoding.soft.bitstream import Segment
from service.decoding.soft.characters import BitStreamError, declared_encoding
from tests.service.decoding.soft.modules import bits_of

BYTE, NUMERIC, ALPHANUMERIC, KANJI, HANZI, ECI = 4, 1, 2, 8, 13, 7
FNC1_FIRST, FNC1_SECOND, STRUCTURED_APPEND = 5, 9, 3


def padded(data: bytes, total: int) -> bytes:
    return data + (b"\xec\x11" * total)[: total - len(data)]


def test_the_standards_own_numeric_example() -> None:
    # Clause 7.4.3, example 1: 01234567 in version 1.
    fields = [(NUMERIC, 4), (8, 10), (12, 10), (345, 10), (67, 7), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 16), 1)
    assert message.segments == (Segment("numeric", b"01234567", None, "ascii"),)
    assert message.exact_padding
    assert message.payload == b"01234567"


def test_the_standards_own_alphanumeric_example() -> None:
    # Clause 7.4.4, example: AC-42 in version 1.
    fields = [(ALPHANUMERIC, 4), (5, 9), (10 * 45 + 12, 11), (41 * 45 + 4, 11), (2, 6), (0, 4)]
    assert bitstream.parse(padded(bits_of(fields), 16), 1).payload == b"AC-42"


def test_the_standards_own_kanji_examples() -> None:
    # Clause 7.4.6: 0x935F is 0x0D9F, 0xE4AA is 0x1AAA.
    fields = [(KANJI, 4), (2, 8), (0x0D9F, 13), (0x1AAA, 13), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 16), 1)
    assert message.segments == (Segment("kanji", b"\x93\x5f\xe4\xaa", None, "shift_jis"),)


def test_hanzi() -> None:
    characters = "汉字".encode("gb2312")
    values = []
    for first, second in (characters[:2], characters[2:]):
        values.append((first - 0xA6) * 0x60 + second - 0xA1)
    fields = [(HANZI, 4), (1, 4), (2, 8), *((value, 13) for value in values), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 16), 1)
    assert message.segments == (Segment("hanzi", characters, None, "gb2312"),)


@pytest.mark.parametrize(("version", "width"), [(9, 8), (10, 16), (26, 16), (27, 16)])
def test_counts_grow_with_the_version(version: int, width: int) -> None:
    fields = [(BYTE, 4), (3, width), (0x414243, 24), (0, 4)]
    assert bitstream.parse(padded(bits_of(fields), 30), version).payload == b"ABC"


@pytest.mark.parametrize(
    ("number", "designator"),
    [(26, (26, 8)), (127, (127, 8)), (899, (0b10 << 14 | 899, 16)), (999_999, (0b110 << 21 | 999_999, 24))],
)
def test_eci_designators(number: int, designator: tuple[int, int]) -> None:
    fields = [(ECI, 4), designator, (BYTE, 4), (2, 8), (0xC3A9, 16), (0, 4)]
    (segment,) = bitstream.parse(padded(bits_of(fields), 20), 1).segments
    assert segment.eci == number
    assert segment.data == b"\xc3\xa9"
    assert segment.encoding == ("utf-8" if number == 26 else None)


def test_eci_holds_until_the_next_and_kanji_stays_kanji() -> None:
    fields = [(ECI, 4), (9, 8), (BYTE, 4), (1, 8), (0xE1, 8), (KANJI, 4), (1, 8), (0x0D9F, 13)]
    fields += [(ECI, 4), (26, 8), (BYTE, 4), (1, 8), (0x41, 8), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 30), 1)
    assert [segment.encoding for segment in message.segments] == ["iso8859-7", "shift_jis", "utf-8"]


def test_eci_codecs_agree_with_segno() -> None:
    for name, number in consts.ECI_ASSIGNMENT_NUM.items():
        ours = declared_encoding("byte", number)
        assert ours is not None
        if name not in ("cp437", "gb18030", "gbk"):
            assert codecs.lookup(ours).name == codecs.lookup(name).name
    assert declared_encoding("byte", 14) is None


def test_fnc1_in_first_position() -> None:
    # %% is a percent sign and a lone % the separator, in alphanumeric mode alone (clause 7.4.8.2).
    values = [b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".index(letter) for letter in b"A%B%%C"]
    pairs = [(values[i] * 45 + values[i + 1], 11) for i in (0, 2, 4)]
    fields = [(FNC1_FIRST, 4), (ALPHANUMERIC, 4), (6, 9), *pairs, (BYTE, 4), (1, 8), (0x25, 8), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 20), 1)
    assert message.fnc1 == "first"
    assert message.payload == b"A\x1dB%C%"
    plain = bitstream.parse(padded(bits_of(fields[1:]), 20), 1)
    assert plain.fnc1 is None
    assert plain.payload == b"A%B%%C%"


@pytest.mark.parametrize("indicator", [37, 100 + ord("A"), 100 + ord("z")])
def test_fnc1_in_second_position(indicator: int) -> None:
    fields = [(FNC1_SECOND, 4), (indicator, 8), (NUMERIC, 4), (1, 10), (7, 4), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 20), 1)
    assert (message.fnc1, message.application_indicator) == ("second", indicator)
    with pytest.raises(BitStreamError):
        bitstream.parse(padded(bits_of([(FNC1_SECOND, 4), (100, 8), *fields[2:]]), 20), 1)


def test_structured_append() -> None:
    fields = [(STRUCTURED_APPEND, 4), (1, 4), (3, 4), (0x5A, 8), (NUMERIC, 4), (1, 10), (7, 4), (0, 4)]
    message = bitstream.parse(padded(bits_of(fields), 20), 1)
    assert message.structured_append == bitstream.StructuredAppend(index=1, total=4, parity=0x5A)


@pytest.mark.parametrize(
    "fields",
    [
        [(0, 4)],
        [(6, 4), (0, 4)],
        [(BYTE, 4), (0, 8), (0, 4)],
        [(BYTE, 4), (200, 8), (0, 4)],
        [(NUMERIC, 4), (3, 10), (1000, 10), (0, 4)],
        [(NUMERIC, 4), (1, 10), (10, 4), (0, 4)],
        [(ALPHANUMERIC, 4), (2, 9), (45 * 45, 11), (0, 4)],
        [(ALPHANUMERIC, 4), (1, 9), (45, 6), (0, 4)],
        [(KANJI, 4), (1, 8), (0x003F, 13), (0, 4)],
        [(HANZI, 4), (2, 4), (1, 8), (0, 13), (0, 4)],
        [(HANZI, 4), (1, 4), (1, 8), (0x5F, 13), (0, 4)],
        [(STRUCTURED_APPEND, 4), (4, 4), (3, 4), (0, 8), (NUMERIC, 4), (1, 10), (7, 4), (0, 4)],
        [(NUMERIC, 4), (1, 10), (7, 4), (FNC1_FIRST, 4), (NUMERIC, 4), (1, 10), (7, 4), (0, 4)],
        [(ECI, 4), (0b111, 3), (0, 21), (BYTE, 4), (1, 8), (65, 8), (0, 4)],
    ],
    ids=str,
)
def test_what_no_encoder_writes_is_an_error(fields: list[tuple[int, int]]) -> None:
    with pytest.raises(BitStreamError):
        bitstream.parse(padded(bits_of(fields), 19), 1)


def test_padding_is_exact_or_said_not_to_be() -> None:
    message = bits_of([(BYTE, 4), (1, 8), (65, 8), (0, 4)])
    assert len(message) == 3
    assert bitstream.parse(padded(message, 19), 1).exact_padding
    # segno writes a zero codeword where the terminator ends one.
    assert bitstream.parse(padded(message + b"\0", 4) + b"\xec\x11" * 7 + b"\xec", 1).exact_padding
    for tail in (b"\x11\xec" * 8, b"\0" * 16, padded(b"", 15) + b"\0", b"\0\0" + padded(b"", 14)):
        assert not bitstream.parse(message + tail, 1).exact_padding
    unfilled = bits_of([(NUMERIC, 4), (1, 10), (7, 4), (0, 4), (1, 1)])
    assert not bitstream.parse(padded(unfilled, 19), 1).exact_padding


def test_a_full_symbol_has_no_terminator() -> None:
    full = bits_of([(BYTE, 4), (17, 8), *((65, 8) for _ in range(17))])
    assert len(full) == 19
    assert bitstream.parse(full, 1).payload == b"A" * 17
    # Four bits are left here, which must be the terminator.
    with pytest.raises(BitStreamError):
        bitstream.parse(full[:-1] + bytes([full[-1] | 0x0B]), 1)


def test_the_messages_end_is_known_from_indicators_and_counts() -> None:
    fields = [
        (BYTE, 4),
        (6, 8),
        *((65, 8) for _ in range(6)),
        (NUMERIC, 4),
        (4, 10),
        (123, 10),
        (4, 4),
        (0, 4),
    ]
    data = padded(bits_of(fields), 19)
    end = sum(count for _, count in fields[:-1])
    known = np.ones(19, dtype=bool)
    assert bitstream.message_end(data, known, 1) == end
    known[3:7] = False
    assert bitstream.message_end(data, known, 1) == end
    known[0] = False
    assert bitstream.message_end(data, known, 1) is None
    assert bitstream.message_end(b"\x60" + data[1:], np.ones(19, dtype=bool), 1) is None
