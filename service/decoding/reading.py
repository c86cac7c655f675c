"""The answer of a reader: one symbol, its payload, where it stands, and what is known of it."""

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
Kind = Literal["qr", "qr_model_1", "micro_qr", "rmqr"]
Source = Literal["declared", "standard", "guessed"]
"""Who says which encoding the text is in: the symbol (a segment's mode, an ECI designator, the payload's own form), the
standard (ASCII, which all encodings in use have in common), or nobody."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Place of a symbol in a sequence of symbols (ISO/IEC 18004:2015, clause 8)."""

    index: int
    """0 for the first symbol."""
    total: int
    """Symbols in the sequence, 1 to 16."""
    parity: int
    """XOR of all bytes of the whole message, the same in each of its symbols."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a payload, for the text of a sequence of symbols: a segment."""

    mode: Literal["numeric", "alphanumeric", "byte", "kanji", "hanzi"]
    data: bytes
    eci: int | None


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules of a symbol after error correction, and how they were seen.

    Each map has one bit a module, row by row from the symbol's own top left, upright and unmirrored, without quiet
    zone, most significant bit first (`numpy.packbits`).
    """

    rows: int
    columns: int
    dark: bytes
    """The modules as they were printed."""
    damaged: bytes
    """Those that were seen in the other colour, function patterns included."""
    unsure: bytes | None
    """Those that were seen rightly, but hardly so; None where the reader does not tell."""
    corrected: int
    """Damaged modules among those that hold data or format information."""
    unused_error_correction: float
    """Share of the error correction that was not needed, of the block that needed most (ISO/IEC 15415, 7.8.8); 0 where
    it needed all, or more than all."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a symbol is, apart from what it says."""

    kind: Kind
    version: str
    """`1` to `40`; `M1` to `M4` of Micro QR, `R7x43` and the like of rMQR."""
    level: str | None
    """Error correction level; None where the version has but one way."""
    mask: int | None
    """Data mask pattern."""
    mirrored: bool
    inverted: bool
    """Light on dark."""
    rows: int
    columns: int
    sequence: Sequence | None
    """Structured append, None where the symbol stands for itself."""
    modules: Modules | None
    """None where they could not be followed: Model 1, and symbols that no standard encoder writes."""
    misread_bound: float | None
    """Upper bound on the probability that the payload is not the printed one; None where there is none."""
    prior: bool = False
    """Whether it could only be read with what is known of payloads."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One symbol read from an image.

    `payload` is the truth; `text` and `encoding` are its interpretation and None where there is none.
    """

    payload: bytes
    """The symbol's bytes, complete, in the order of its segments."""
    text: str | None
    """`payload` as text, or None when it is no valid text in a known encoding."""
    encoding: str | None
    """Name of the encoding that turned `payload` into `text` (Python codec name), `mixed` where there were several,
    None for binary."""
    points: tuple[Point, Point, Point, Point]
    """Corners in pixels of the image that was read (x right, y down), clockwise from the symbol's top left.
    Pixel centres are at whole numbers."""
    reader: str
    """Which reader read it: `wechat`, `zxing`, `soft`."""
    attempt: str
    """Which attempt of the cascade read it, for example `upload` or `sr`."""
    symbology: str | None = None
    """AIM symbology identifier (ISO/IEC 15424), None where the reader does not tell: `]Q1` plain, `]Q3` GS1
    (FNC1 in first position, so 0x1D separates fields), `]Q5` AIM application; the next number where ECI is
    in use."""
    source: Source | None = None
    """Who says so; None for binary."""
    symbol: Symbol | None = None
    """None where nothing is known of it."""
    pieces: tuple[Piece, ...] = ()
    """The payload in pieces, where the symbol is a part of a sequence."""
