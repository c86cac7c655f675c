"""What a symbol is, from the modules that a reader sampled: its version, its place in a sequence, how it was read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding import modules
from service.decoding.geometry import Quad
from service.decoding.reading import Kind, Modules, Piece, Sequence, Symbol
from service.decoding.soft import Message, Segment, SoftReading, StructuredAppend
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.bitstream import parse
from service.decoding.soft.characters import BitStreamError
from service.decoding.soft.codewords import Level, block_reliabilities, block_structure, data_stream

BoolArray = NDArray[np.bool_]

_LEVELS: Final[dict[str, Level]] = {"L": "L", "M": "M", "Q": "Q", "H": "H"}
_TRIES: Final = 100
"""How often zxing-cpp may have tried to decode a picture before it came upon a word that its code accepts: two
binarizers, two scales, and a few triples of finder patterns, each upright and mirrored."""
# Table 9, Micro QR: codewords and those for error correction. M1 corrects none.
_MICRO_BLOCKS: Final = {
    ("M1", None): (5, 2),
    ("M2", "L"): (10, 5),
    ("M2", "M"): (10, 6),
    ("M3", "L"): (17, 6),
    ("M3", "M"): (17, 8),
    ("M4", "L"): (24, 8),
    ("M4", "M"): (24, 10),
    ("M4", "Q"): (24, 14),
}
_LEAST_RMQR_BLOCK: Final = (13, 7)
"""The same of R7x43-M, the weakest code of rMQR (ISO/IEC 23941:2022, table 8)."""


@dataclass(frozen=True, slots=True)
class SeenSymbol:
    """What zxing-cpp tells of a symbol that it has read."""

    kind: Kind
    version: str
    level: str | None
    mask: int | None
    modules: BoolArray
    """`(rows, columns)` dark, as sampled; of a mirrored symbol as it is displayed."""
    unused_error_correction: float | None


def examined(
    seen: SeenSymbol, payload: bytes, image: NDArray[np.uint8], points: Quad
) -> tuple[Symbol, Message | None]:
    """A symbol, and its message where decoding its modules once more gives the payload that the library has given.

    Args:
        image: `(h, w) uint8` luma that it was read from.
        points: its corners there, clockwise from its own top left.
    """
    rows, columns = seen.modules.shape
    symbol = Symbol(
        kind=seen.kind,
        version=seen.version,
        level=seen.level,
        mask=seen.mask,
        mirrored=False,
        inverted=_is_light_on_dark(image, points, rows, columns),
        rows=rows,
        columns=columns,
        sequence=None,
        modules=None,
        misread_bound=None,
    )
    message: Message | None = None
    if seen.kind == "qr" and seen.level in _LEVELS and seen.mask is not None:
        symbol, message = _qr(symbol, seen.modules, _LEVELS[seen.level], seen.mask, payload)
    elif seen.kind in ("micro_qr", "rmqr"):
        symbol = _small(symbol, seen)
    return symbol, message


def of_soft(reading: SoftReading) -> Symbol:
    """The symbol of the soft-decision reader."""
    structure = block_structure(reading.version, reading.level)
    hard = block_reliabilities(reading.llr, reading.version, reading.level, reading.mask) > 0
    wrong = (np.packbits(hard, axis=2)[:, :, 0] != reading.blocks).sum(axis=1)
    dark = modules.printed(reading.version, reading.level, reading.mask, reading.blocks)
    return Symbol(
        kind="qr",
        version=str(reading.version),
        level=reading.level,
        mask=reading.mask,
        mirrored=reading.mirrored,
        inverted=reading.inverted,
        rows=len(dark),
        columns=len(dark),
        sequence=_sequence(reading.message.structured_append),
        modules=modules.compared(dark, reading.llr > 0, wrong, structure.checks, reading.llr),
        misread_bound=reading.misread_bound,
        prior=reading.prior,
    )


def identifier(message: Message) -> str:
    """AIM symbology identifier of a QR Code, Model 2 (ISO/IEC 18004:2015, annex F)."""
    modifier = {None: 1, "first": 3, "second": 5}[message.fnc1]
    return f"]Q{modifier + any(segment.eci is not None for segment in message.segments)}"


def sent(message: Message) -> tuple[Segment, ...]:
    """What is sent of a message: with FNC1 in second position its application indicator goes in front of the data
    (ISO/IEC 18004:2015, 14.2): two digits or a letter."""
    indicator = message.application_indicator
    if indicator is None:
        return message.segments
    data = b"%02d" % indicator if indicator < 100 else bytes([indicator - 100])
    return Segment("byte", data, None, None), *message.segments


def pieces_of(segments: Iterable[Segment]) -> tuple[Piece, ...]:
    """Segments as a reading carries them."""
    return tuple(Piece(segment.mode, segment.data, segment.eci) for segment in segments)


def _qr(
    symbol: Symbol, seen: BoolArray, level: Level, mask: int, payload: bytes
) -> tuple[Symbol, Message | None]:
    version = layout.version_of_size(len(seen))
    upright = modules.format_distance(seen, level, mask)
    mirrored = upright > 0 and modules.format_distance(seen.T, level, mask) < upright
    symbol = replace(symbol, mirrored=mirrored)
    if mirrored:
        seen = np.ascontiguousarray(seen.T)
    found = modules.corrected_blocks(seen, version, level, mask)
    if found is None:
        return symbol, None
    blocks, wrong = found
    try:
        message = parse(data_stream(blocks, version, level).tobytes(), version)
    except BitStreamError:
        return symbol, None
    if b"".join(segment.data for segment in sent(message)) != payload:
        return symbol, None
    checks, length = block_structure(version, level).checks, blocks.shape[1]
    bound = sum(modules.misread_bound(length, checks, int(count)) for count in wrong)
    dark = (
        modules.printed(version, level, mask, blocks)
        if wrong.any()
        else modules.printed_as_seen(seen, version, level, mask)
    )
    symbol = replace(
        symbol,
        sequence=_sequence(message.structured_append),
        modules=modules.compared(dark, seen, wrong, checks),
        misread_bound=min(_TRIES * bound, 1.0),
    )
    return symbol, message


def _sequence(found: StructuredAppend | None) -> Sequence | None:
    return None if found is None else Sequence(found.index, found.total, found.parity)


def _small(symbol: Symbol, seen: SeenSymbol) -> Symbol:
    """Micro QR and rMQR. Their modules are given where the data needed no correction, so that they are as printed."""
    unused = seen.unused_error_correction
    if unused is None:
        return symbol
    flawless = unused == 1.0
    bound = None
    if (block := _MICRO_BLOCKS.get((seen.version, seen.level if seen.version != "M1" else None))) is not None:
        length, checks = block
        bound = modules.misread_bound(length, checks, round((1 - unused) * checks / 2))
    elif flawless:
        bound = modules.misread_bound(*_LEAST_RMQR_BLOCK, 0)
    dark = np.packbits(seen.modules).tobytes()
    clean = np.packbits(np.zeros_like(seen.modules)).tobytes()
    found = Modules(symbol.rows, symbol.columns, dark, clean, None, 0, unused)
    return replace(
        symbol,
        modules=found if flawless else None,
        misread_bound=None if bound is None else min(_TRIES * bound, 1.0),
    )


def _is_light_on_dark(image: NDArray[np.uint8], points: Quad, rows: int, columns: int) -> bool:
    """Whether the middles of the finder patterns are lighter than the rings around them.

    Args:
        points: corners in pixels, clockwise from the symbol's own top left.
        rows, columns: modules.
    """
    module = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    to_pixels = cv2.getPerspectiveTransform(module, np.array(points, np.float32))
    places = to_pixels @ _finder_modules(rows, columns)
    at = np.rint(places[:2] / places[2]).astype(np.intp)
    height, width = image.shape
    values = image[np.clip(at[1], 0, height - 1), np.clip(at[0], 0, width - 1)].reshape(-1, 25)
    middles, rings = values[:, _MIDDLE], values[:, _RING]
    return bool(int(middles.sum()) * rings.size > int(rings.sum()) * middles.size)


_AWAY: Final = np.maximum(abs(np.arange(-2, 3))[:, None], abs(np.arange(-2, 3))[None, :]).reshape(-1)
_MIDDLE: Final = _AWAY < 2
"""Dark modules in the middle of a finder pattern, of the 5 x 5 around its centre."""
_RING: Final = _AWAY == 2


@lru_cache(maxsize=128)
def _finder_modules(rows: int, columns: int) -> NDArray[np.float64]:
    """`(3, 25 k)` homogeneous coordinates of the modules around the centres of the finder patterns: three of a square
    symbol of 21 modules or more, else one."""
    centres = [(3.5, 3.5)]
    if rows == columns and rows >= 21:
        centres += [(columns - 3.5, 3.5), (3.5, rows - 3.5)]
    y, x = np.mgrid[-2:3, -2:3].reshape(2, -1)
    return np.concatenate([np.stack([cx + x, cy + y, np.ones(25)]) for cx, cy in centres], axis=1)
