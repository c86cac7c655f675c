"""The message of a symbol: data codewords to segments.

Clauses: ISO/IEC 18004:2015. The parser is strict, because a stream that parses is evidence that it was decoded
correctly: what no encoder writes is an error.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.characters import (
    DATA_MODES,
    BitReader,
    BitStreamError,
    Mode,
    character_count,
    characters,
    declared_encoding,
    eci_designator,
    length_in_bits,
    with_separators,
)

_TERMINATOR: Final = 0b0000
_STRUCTURED_APPEND: Final = 0b0011
_FNC1_FIRST: Final = 0b0101
_ECI: Final = 0b0111
_FNC1_SECOND: Final = 0b1001
PADS: Final = (0xEC, 0x11)
"""The pad codewords, which alternate (clause 7.4.10)."""


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
    """The contents of a symbol."""

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


def parse(data: bytes, version: int) -> Message:
    """The message in all data codewords of a symbol. Raises BitStreamError if they hold none."""
    reader = BitReader(data)
    segments: list[Segment] = []
    structured_append: StructuredAppend | None = None
    fnc1: Literal["first", "second"] | None = None
    application: int | None = None
    eci: int | None = None
    while not _at_end(reader):
        indicator = reader.take(4)
        if indicator in DATA_MODES:
            mode, widths = DATA_MODES[indicator]
            content = characters(reader, mode, character_count(reader, mode, widths, version))
            if fnc1 is not None and mode == "alphanumeric":
                content = with_separators(content)
            segments.append(Segment(mode, content, eci, declared_encoding(mode, eci)))
        elif indicator == _ECI:
            eci = eci_designator(reader)
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
    """Bits before the terminator, if the known data codewords (flagged in `known`) determine it.

    Reads only mode indicators and counts; the characters between them may be unknown. None if an indicator or a
    count is unknown, or if no encoder writes it.
    """
    reader = BitReader(data, known.tolist())
    try:
        while not _at_end(reader):
            indicator = reader.take(4)
            if indicator in DATA_MODES:
                mode, widths = DATA_MODES[indicator]
                reader.skip(length_in_bits(mode, character_count(reader, mode, widths, version)))
            elif indicator == _ECI:
                eci_designator(reader)
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

    Returns the index of the first whole codeword after the terminator (only zero bits are before it), and the possible
    codewords from there on. These are alternating pads. Where the terminator ends a codeword, some encoders, such as
    segno, write a zero codeword before the pads: this is the second possibility.
    """
    start = min(-(-(end + 4) // 8), total)
    pads = (bytes(PADS) * (total // 2 + 1))[: total - start]
    if start < total and (end + 4) % 8 == 0:
        return start, (pads, b"\0" + pads[:-1])
    return start, (pads,)


def _at_end(reader: BitReader) -> bool:
    """Whether the terminator follows, or too few bits are left for one; these must be zero (clause 7.4.9)."""
    if reader.left >= 4:
        return reader.peek(4) == _TERMINATOR
    if reader.left and reader.peek(reader.left):
        raise BitStreamError("a cut terminator that is not zero")
    return True


def _application_indicator(reader: BitReader) -> int:
    """Two digits as a number, or a letter as its code plus 100 (clause 7.4.8.3)."""
    value = reader.take(8)
    if value >= 100 and not chr(value - 100).isalpha():
        raise BitStreamError("no such application indicator")
    return value
