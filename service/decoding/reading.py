"""The answer of a reader: one symbol, its payload and where it stands."""

from dataclasses import dataclass

Point = tuple[float, float]


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
    """Name of the encoding that turned `payload` into `text` (Python codec name), None for binary."""
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
