"""Characters of a QR message: bits to bytes in each mode.

Clauses: ISO/IEC 18004:2015; hanzi mode is that of GB/T 18284. What no encoder writes is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from service.decoding.eci import ECI_CODECS

Mode = Literal["numeric", "alphanumeric", "byte", "kanji", "hanzi"]

# Table 5.
ALPHANUMERIC: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# Table 2: mode indicators of the modes that carry characters, and table 3: bits of their character counts in
# versions 1 to 9, 10 to 26, 27 to 40.
DATA_MODES: Final[dict[int, tuple[Mode, tuple[int, int, int]]]] = {
    0b0001: ("numeric", (10, 12, 14)),
    0b0010: ("alphanumeric", (9, 11, 13)),
    0b0100: ("byte", (8, 16, 16)),
    0b1000: ("kanji", (8, 10, 12)),
    0b1101: ("hanzi", (8, 10, 12)),
}
_GROUP_SEPARATOR: Final = b"\x1d"
_GB2312_SUBSET: Final = 1


class BitStreamError(ValueError):
    """The data codewords are no message that an encoder writes."""


@dataclass(slots=True)
class BitReader:
    """Reads the bits of a byte string, most significant first; some bytes may be unknown.

    Raises BitStreamError if it reads bits that do not exist or are not known.
    """

    data: bytes
    known: Sequence[bool] | None = None
    """Which bytes are known; None if all are."""
    at: int = 0
    """Bits read so far."""
    _number: int = field(init=False)

    def __post_init__(self) -> None:
        self._number = int.from_bytes(self.data)

    @property
    def left(self) -> int:
        """Bits not read yet."""
        return 8 * len(self.data) - self.at

    def peek(self, count: int) -> int:
        """The next `count` bits as a number."""
        if count > self.left:
            raise BitStreamError("a segment is longer than the symbol")
        end = self.at + count
        if self.known is not None and not all(self.known[self.at // 8 : -(-end // 8)]):
            raise BitStreamError("the bits are not known")
        return self._number >> (8 * len(self.data) - end) & ((1 << count) - 1)

    def take(self, count: int) -> int:
        """The next `count` bits as a number; moves past them."""
        value = self.peek(count)
        self.at += count
        return value

    def skip(self, count: int) -> None:
        """Moves past bits, known or not."""
        if count > self.left:
            raise BitStreamError("a segment is longer than the symbol")
        self.at += count


def character_count(reader: BitReader, mode: Mode, widths: tuple[int, int, int], version: int) -> int:
    """Number of characters of a segment, after its mode indicator (table 3); an empty one is an error."""
    if mode == "hanzi" and reader.take(4) != _GB2312_SUBSET:
        raise BitStreamError("no such hanzi subset")
    count = reader.take(widths[(version > 9) + (version > 26)])
    if count == 0:
        raise BitStreamError("an empty segment")
    return count


def length_in_bits(mode: Mode, count: int) -> int:
    """Bits of `count` characters (clauses 7.4.3 to 7.4.6)."""
    if mode == "numeric":
        return 10 * (count // 3) + (0, 4, 7)[count % 3]
    if mode == "alphanumeric":
        return 11 * (count // 2) + 6 * (count % 2)
    return (8 if mode == "byte" else 13) * count


def characters(reader: BitReader, mode: Mode, count: int) -> bytes:
    """`count` characters as bytes (clauses 7.4.3 to 7.4.6). Raises BitStreamError for a value that is no character."""
    if length_in_bits(mode, count) > reader.left:
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
    return ALPHANUMERIC[high : high + 1] * (size - 1) + ALPHANUMERIC[low : low + 1]


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


def with_separators(content: bytes) -> bytes:
    """In FNC1 modes a single % means the separator, and %% means % (clause 7.4.8.2)."""
    return b"%".join(part.replace(b"%", _GROUP_SEPARATOR) for part in content.split(b"%%"))


def eci_designator(reader: BitReader) -> int:
    """One to three bytes (clause 7.4.2.2, table 4)."""
    for continuation in range(3):
        if reader.peek(continuation + 1) == (1 << continuation + 1) - 2:
            reader.skip(continuation + 1)
            number = reader.take(7 + 7 * continuation)
            if number > 999_999:
                break
            return number
    raise BitStreamError("no such ECI designator")


def declared_encoding(mode: Mode, eci: int | None) -> str | None:
    """Python codec of a segment's bytes by its mode or ECI; None for bytes of no declared meaning."""
    if mode == "byte":
        return None if eci is None else ECI_CODECS.get(eci)
    return {"kanji": "shift_jis", "hanzi": "gb2312"}.get(mode, "ascii")
