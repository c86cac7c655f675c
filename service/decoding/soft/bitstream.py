"""The message of a symbol: data codewords to segments.

Clauses: ISO/IEC 18004:2015; hanzi mode is that of GB/T 18284. The parser is strict, since whether a stream
parses is part of the evidence that it was decoded rightly: what no encoder writes is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Mode = Literal["numeric", "alphanumeric", "byte", "kanji", "hanzi"]

# Table 5.
_ALPHANUMERIC: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# Table 2: mode indicators of the modes that carry characters, and table 3: bits of their character counts in
# versions 1 to 9, 10 to 26, 27 to 40.
_DATA_MODES: Final[dict[int, tuple[Mode, tuple[int, int, int]]]] = {
    0b0001: ("numeric", (10, 12, 14)),
    0b0010: ("alphanumeric", (9, 11, 13)),
    0b0100: ("byte", (8, 16, 16)),
    0b1000: ("kanji", (8, 10, 12)),
    0b1101: ("hanzi", (8, 10, 12)),
}
_TERMINATOR: Final = 0b0000
_STRUCTURED_APPEND: Final = 0b0011
_FNC1_FIRST: Final = 0b0101
_ECI: Final = 0b0111
_FNC1_SECOND: Final = 0b1001
_GROUP_SEPARATOR: Final = b"\x1d"
PADS: Final = (0xEC, 0x11)
"""The pad codewords, by turns (clause 7.4.10)."""

_GB2312_SUBSET: Final = 1
# Extended Channel Interpretations (AIM ECI assignments) that have a Python codec.
_ECI_CODECS: Final[dict[int, str]] = {
    0: "cp437",
    1: "iso8859-1",
    2: "cp437",
    **{number: f"iso8859-{number - 2}" for number in range(3, 19) if number not in (14, 19)},
    20: "shift_jis",
    21: "cp1250",
    22: "cp1251",
    23: "cp1252",
    24: "cp1256",
    25: "utf-16-be",
    26: "utf-8",
    27: "ascii",
    28: "big5",
    29: "gb18030",
    30: "euc_kr",
    32: "gb18030",
    33: "utf-16-le",
    34: "utf-32-be",
    35: "utf-32-le",
    170: "ascii",
}


class BitStreamError(ValueError):
    """The data codewords are no message that an encoder writes."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters in one mode."""

    mode: Mode
    data: bytes
    """The segment's bytes: digits and letters as ASCII, kanji as Shift_JIS, hanzi as GB 2312."""
    eci: int | None
    """The Extended Channel Interpretation in force, None where the symbol names none."""
    encoding: str | None
    """Python codec of `data` that its mode or ECI declares; None where none is declared."""


@dataclass(frozen=True, slots=True)
class StructuredAppend:
    """Place of a symbol in a sequence of symbols (clause 8)."""

    index: int
    """0 for the first symbol."""
    total: int
    """Symbols in the sequence, 1 to 16."""
    parity: int
    """XOR of all bytes of the whole message, the same in each of its symbols."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a symbol says."""

    segments: tuple[Segment, ...]
    structured_append: StructuredAppend | None
    fnc1: Literal["first", "second"] | None
    """FNC1 mode (clause 7.4.8): `first` for GS1, `second` for an industry's format."""
    application_indicator: int | None
    """With FNC1 in second position: 0 to 99, or 100 and the ASCII code of a letter."""
    exact_padding: bool
    """Whether the bits after the terminator are those of the standard."""

    @property
    def payload(self) -> bytes:
        """All segments' bytes in their order."""
        return b"".join(segment.data for segment in self.segments)


@dataclass(slots=True)
class _Reader:
    """Reads bits of a byte string of which some bytes may be unknown."""

    data: bytes
    known: Sequence[bool] | None = None
    at: int = 0
    _number: int = field(init=False)

    def __post_init__(self) -> None:
        self._number = int.from_bytes(self.data)

    @property
    def left(self) -> int:
        return 8 * len(self.data) - self.at

    def peek(self, count: int) -> int:
        if count > self.left:
            raise BitStreamError("a segment is longer than the symbol")
        end = self.at + count
        if self.known is not None and not all(self.known[self.at // 8 : -(-end // 8)]):
            raise BitStreamError("the bits are not known")
        return self._number >> (8 * len(self.data) - end) & ((1 << count) - 1)

    def take(self, count: int) -> int:
        value = self.peek(count)
        self.at += count
        return value

    def skip(self, count: int) -> None:
        if count > self.left:
            raise BitStreamError("a segment is longer than the symbol")
        self.at += count


def parse(data: bytes, version: int) -> Message:
    """The message in all data codewords of a symbol. Raises BitStreamError where it is none."""
    reader = _Reader(data)
    segments: list[Segment] = []
    structured_append: StructuredAppend | None = None
    fnc1: Literal["first", "second"] | None = None
    application: int | None = None
    eci: int | None = None
    while not _at_end(reader):
        indicator = reader.take(4)
        if indicator in _DATA_MODES:
            mode, widths = _DATA_MODES[indicator]
            characters = _characters(reader, mode, _count(reader, mode, widths, version))
            if fnc1 is not None and mode == "alphanumeric":
                characters = _with_separators(characters)
            segments.append(Segment(mode, characters, eci, _declared(mode, eci)))
        elif indicator == _ECI:
            eci = _eci_designator(reader)
        elif indicator == _STRUCTURED_APPEND and reader.at == 4:
            index, last, parity = reader.take(4), reader.take(4), reader.take(8)
            if index > last:
                raise BitStreamError("a symbol beyond the last of its sequence")
            structured_append = StructuredAppend(index, last + 1, parity)
        elif indicator in (_FNC1_FIRST, _FNC1_SECOND) and fnc1 is None and not segments:
            fnc1 = "first" if indicator == _FNC1_FIRST else "second"
            if fnc1 == "second":
                application = _application_indicator(reader)
        else:
            raise BitStreamError("no such mode here")
    if not segments:
        raise BitStreamError("no characters")
    start, tails = paddings(reader.at, len(data))
    exact = reader.take(8 * start - reader.at) == 0 and data[start:] in tails
    return Message(tuple(segments), structured_append, fnc1, application, exact)


def message_end(data: bytes, known: NDArray[np.bool_], version: int) -> int | None:
    """Bits before the terminator, where the known data codewords, flagged in `known`, suffice to tell.

    Reads mode indicators and counts only, so that the characters between them may be unknown. None where an
    indicator or count is unknown or no encoder writes it.
    """
    reader = _Reader(data, known.tolist())
    try:
        while not _at_end(reader):
            indicator = reader.take(4)
            if indicator in _DATA_MODES:
                mode, widths = _DATA_MODES[indicator]
                reader.skip(_length(mode, _count(reader, mode, widths, version)))
            elif indicator == _ECI:
                _eci_designator(reader)
            elif indicator == _STRUCTURED_APPEND:
                reader.skip(16)
            elif indicator == _FNC1_SECOND:
                reader.skip(8)
            elif indicator != _FNC1_FIRST:
                return None
    except BitStreamError:
        return None
    return reader.at


def paddings(end: int, total: int) -> tuple[int, tuple[bytes, ...]]:
    """What may follow a message of `end` bits in `total` data codewords (clauses 7.4.9 and 7.4.10).

    Returns the first whole codeword after the terminator, before which there are only zero bits, and the
    codewords from there on: pads by turns. Where the terminator ends a codeword, some encoders (segno among
    them) write a zero codeword before the pads: a second possibility.
    """
    start = min(-(-(end + 4) // 8), total)
    pads = (bytes(PADS) * (total // 2 + 1))[: total - start]
    if start < total and (end + 4) % 8 == 0:
        return start, (pads, b"\0" + pads[:-1])
    return start, (pads,)


def _at_end(reader: _Reader) -> bool:
    """Terminator, or too few bits left for one, which then must be zero (clause 7.4.9)."""
    if reader.left >= 4:
        return reader.peek(4) == _TERMINATOR
    if reader.left and reader.peek(reader.left):
        raise BitStreamError("a cut terminator that is not zero")
    return True


def _count(reader: _Reader, mode: Mode, widths: tuple[int, int, int], version: int) -> int:
    if mode == "hanzi" and reader.take(4) != _GB2312_SUBSET:
        raise BitStreamError("no such hanzi subset")
    count = reader.take(widths[(version > 9) + (version > 26)])
    if count == 0:
        raise BitStreamError("an empty segment")
    return count


def _length(mode: Mode, count: int) -> int:
    """Bits of `count` characters (clauses 7.4.3 to 7.4.6)."""
    if mode == "numeric":
        return 10 * (count // 3) + (0, 4, 7)[count % 3]
    if mode == "alphanumeric":
        return 11 * (count // 2) + 6 * (count % 2)
    return (8 if mode == "byte" else 13) * count


def _characters(reader: _Reader, mode: Mode, count: int) -> bytes:
    if _length(mode, count) > reader.left:
        raise BitStreamError("a segment is longer than the symbol")
    if mode == "byte":
        return reader.take(8 * count).to_bytes(count)
    if mode == "numeric":
        sizes = [3] * (count // 3) + [count % 3] * (count % 3 > 0)
        return b"".join(_digits(reader.take(3 * size + 1), size) for size in sizes)
    if mode == "alphanumeric":
        pairs = b"".join(_letters(reader.take(11), 2) for _ in range(count // 2))
        return pairs + (_letters(reader.take(6), 1) if count % 2 else b"")
    return b"".join((_kanji if mode == "kanji" else _hanzi)(reader.take(13)) for _ in range(count))


def _digits(value: int, size: int) -> bytes:
    if value >= 10**size:
        raise BitStreamError("no such digits")
    return b"%0*d" % (size, value)


def _letters(value: int, size: int) -> bytes:
    high, low = divmod(value, 45)
    if high >= 45 or (size == 1 and high):
        raise BitStreamError("no such characters")
    return _ALPHANUMERIC[high : high + 1] * (size - 1) + _ALPHANUMERIC[low : low + 1]


def _kanji(value: int) -> bytes:
    high, low = divmod(value, 0xC0)
    code = (high << 8 | low) + (0x8140 if high < 0x1F else 0xC140)
    if code > 0xEBBF or code & 0xFF in (0x7F, 0xFD, 0xFE, 0xFF):
        raise BitStreamError("no such kanji")
    return code.to_bytes(2)


def _hanzi(value: int) -> bytes:
    high, low = divmod(value, 0x60)
    code = (high << 8 | low) + (0xA1A1 if high < 0x0A else 0xA6A1)
    if code > 0xFAFE or low > 0x5D:
        raise BitStreamError("no such hanzi")
    return code.to_bytes(2)


def _with_separators(characters: bytes) -> bytes:
    """In FNC1 modes a lone % stands for the separator and %% for % (clause 7.4.8.2)."""
    return b"%".join(part.replace(b"%", _GROUP_SEPARATOR) for part in characters.split(b"%%"))


def _eci_designator(reader: _Reader) -> int:
    """One to three bytes (clause 7.4.2.2, table 4)."""
    for continuation in range(3):
        if reader.peek(continuation + 1) == (1 << continuation + 1) - 2:
            reader.skip(continuation + 1)
            number = reader.take(7 + 7 * continuation)
            if number > 999_999:
                break
            return number
    raise BitStreamError("no such ECI designator")


def _application_indicator(reader: _Reader) -> int:
    """Two digits as their number, a letter as its code and 100 (clause 7.4.8.3)."""
    value = reader.take(8)
    if value >= 100 and not chr(value - 100).isalpha():
        raise BitStreamError("no such application indicator")
    return value


def _declared(mode: Mode, eci: int | None) -> str | None:
    if mode == "byte":
        return None if eci is None else _ECI_CODECS.get(eci)
    return {"kanji": "shift_jis", "hanzi": "gb2312"}.get(mode, "ascii")
