"""Symbols as the service tells of them: what each says, what it is, how well it was read, and drawn anew."""

import base64
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.decoding import drawing
from service.decoding.geometry import pixels_per_module
from service.decoding.payload import interpret
from service.decoding.reading import Kind, Modules, Reading, Source
from service.decoding.soft import Segment
from service.decoding.soft.prior.hints import hint

DrawnAs = Literal["svg", "png", "matrix"]
_PNG_SCALE = 8
"""Pixels a module of a symbol that is drawn anew."""


class StructuredAppend(BaseModel):
    """Place of a symbol in a sequence of symbols that hold one message."""

    index: Annotated[int, Field(ge=0, le=15, description="0 for the first symbol.")]
    total: Annotated[int, Field(ge=1, le=16, description="Symbols in the sequence.")]
    parity: Annotated[
        int,
        Field(ge=0, le=255, description="The same in all symbols of a sequence: its message's bytes, XORed."),
    ]


class Quality(BaseModel):
    """How well a symbol was read."""

    misread_bound: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="Upper bound on the probability that the payload is not the printed one; null where none is "
            "known.",
        ),
    ]
    modules_corrected: Annotated[
        int | None,
        Field(
            ge=0,
            description="Modules of data and format that were seen in the wrong colour; null where unknown.",
        ),
    ]
    unused_error_correction: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="Share of the error correction that was not needed (ISO/IEC 15415), of the block that needed "
            "most; null where unknown.",
        ),
    ]
    pixels_per_module: Annotated[
        float, Field(gt=0, description="Mean side of a module in the upload, in pixels.")
    ]


class SymbolDrawing(BaseModel):
    """The identical symbol, crisp: the same version, error correction level, mask and modules."""

    format: Annotated[DrawnAs, Field(description="Which of the next three it is; the others are null.")]
    svg: Annotated[
        str | None, Field(description="A document of SVG, a unit a module, quiet zone included.")
    ] = None
    png_base64: Annotated[
        str | None, Field(description="An image of PNG, 8 pixels a module, quiet zone included.")
    ] = None
    matrix: Annotated[
        list[str] | None,
        Field(description="A row each, from the symbol's own top left: `1` dark, `0` light; no quiet zone."),
    ] = None
    damaged: Annotated[
        list[tuple[int, int]] | None,
        Field(
            description="With `damage=true`: row and column of the modules that were seen in the wrong colour, red in "
            "the drawing."
        ),
    ] = None
    unsure: Annotated[
        list[tuple[int, int]] | None,
        Field(
            description="With `damage=true`: those that were seen rightly, but hardly so, orange in the drawing; null "
            "where the reader does not tell."
        ),
    ] = None


class Symbol(BaseModel):
    """One symbol that was read."""

    text: Annotated[
        str | None,
        Field(description="The payload as text; null where it is binary, or no encoding is convincing."),
    ]
    payload_base64: Annotated[str, Field(description="The payload's bytes, complete.")]
    encoding: Annotated[
        str | None,
        Field(
            description="Encoding that gave `text`; `mixed` where segments have several; null without `text`."
        ),
    ]
    encoding_source: Annotated[
        Source | None,
        Field(
            description="Who says so. `declared`: the symbol (ECI, kanji or hanzi mode, or the payload's own form). "
            "`standard`: it is plain ASCII. `guessed`: nobody, it is the likeliest. null without `text`."
        ),
    ]
    points: Annotated[
        list[tuple[float, float]],
        Field(
            description="Corners (x, y), clockwise as displayed from the symbol's own top left, also where it is "
            "mirrored, in pixels of the upload as it is displayed, that is, after its EXIF orientation."
        ),
    ]
    reader: Annotated[str, Field(description="Which reader read it.")]
    attempt: Annotated[
        str, Field(description="At which attempt, for example on the upload or on the x4 image.")
    ]
    kind: Annotated[Kind, Field(description="What kind of symbol it is.")]
    symbology: Annotated[
        str | None,
        Field(
            description="Symbology identifier (ISO/IEC 15424): `]Q1` plain, `]Q3` GS1, so that 0x1D separates fields, "
            "`]Q5` AIM; the next number where there is an ECI; `]Q0` Model 1."
        ),
    ]
    version: Annotated[
        str | None, Field(description="`1` to `40`; `M1` to `M4` of Micro QR; `R7x43` and the like of rMQR.")
    ]
    error_correction: Annotated[
        Literal["L", "M", "Q", "H"] | None,
        Field(description="Error correction level; null where there is none."),
    ]
    mask: Annotated[int | None, Field(ge=0, le=7, description="Data mask pattern.")]
    mirrored: Annotated[bool, Field(description="Whether it is seen from behind.")]
    inverted: Annotated[bool, Field(description="Whether it is light on dark.")]
    structured_append: Annotated[
        StructuredAppend | None,
        Field(description="Its place in a sequence; null where it stands for itself."),
    ]
    quality: Annotated[Quality, Field(description="How well it was read.")]
    prior: Annotated[
        bool,
        Field(
            description="Whether it could only be read with a model of what payloads are, or with `expect`."
        ),
    ] = False
    hint: Annotated[
        Literal["matched", "not matched"] | None,
        Field(description="Whether the payload is as `expect` says; null without it."),
    ] = None
    symbol: Annotated[
        SymbolDrawing | None,
        Field(
            description="With `symbol=svg`, `png` or `matrix`: the symbol drawn anew. null where that is not asked for "
            "and where its modules cannot be told from damage (Model 1; Micro QR and rMQR that are damaged)."
        ),
    ] = None


class JoinedMessage(BaseModel):
    """The message of a sequence of symbols of which all are in the request."""

    text: Annotated[str | None, Field(description="As of a symbol.")]
    payload_base64: Annotated[str, Field(description="The parts' payloads, one after the other.")]
    encoding: Annotated[str | None, Field(description="As of a symbol.")]
    encoding_source: Annotated[Source | None, Field(description="As of a symbol.")]
    total: Annotated[int, Field(ge=2, le=16, description="Symbols in the sequence.")]
    parity: Annotated[int, Field(ge=0, le=255, description="Of the sequence.")]
    parity_matches: Annotated[
        bool, Field(description="Whether it is that of the payload. Some encoders write another one.")
    ]


def symbol(
    reading: Reading, drawn: DrawnAs | None = None, *, damage: bool = False, expect: str = ""
) -> Symbol:
    """The JSON form of a reading, with the symbol drawn anew where that is asked for."""
    known = reading.symbol
    modules = known.modules if known else None
    rows, columns = (known.rows, known.columns) if known else (21, 21)
    return Symbol.model_construct(
        text=reading.text,
        payload_base64=base64.b64encode(reading.payload).decode("ascii"),
        encoding=reading.encoding,
        encoding_source=reading.source,
        # A hundredth of a pixel is finer than any reader's corners.
        points=[(round(x, 2), round(y, 2)) for x, y in reading.points],
        reader=reading.reader,
        attempt=reading.attempt,
        kind=known.kind if known else "qr",
        symbology=reading.symbology,
        version=known.version if known else None,
        error_correction=known.level if known else None,
        mask=known.mask if known else None,
        mirrored=known.mirrored if known else False,
        inverted=known.inverted if known else False,
        structured_append=_place(reading),
        quality=Quality.model_construct(
            misread_bound=known.misread_bound if known else None,
            modules_corrected=modules.corrected if modules else None,
            unused_error_correction=round(modules.unused_error_correction, 3) if modules else None,
            pixels_per_module=round(pixels_per_module(reading.points, rows, columns), 2),
        ),
        prior=known.prior if known else False,
        hint=_as_expected(reading.payload, expect),
        symbol=drawing_of(modules, known.kind, drawn, damage=damage) if known and modules and drawn else None,
    )


def _as_expected(payload: bytes, expect: str) -> Literal["matched", "not matched"] | None:
    if not expect:
        return None
    return "matched" if hint(expect).matches(payload) else "not matched"


def drawing_of(modules: Modules, kind: Kind, drawn: DrawnAs, *, damage: bool = False) -> SymbolDrawing:
    """A symbol drawn anew."""
    answer = SymbolDrawing(format=drawn)
    if drawn == "svg":
        answer.svg = drawing.svg(modules, kind, damage=damage)
    elif drawn == "png":
        answer.png_base64 = base64.b64encode(drawing.png(modules, kind, _PNG_SCALE, damage=damage)).decode(
            "ascii"
        )
    else:
        answer.matrix = drawing.matrix(modules)
    if damage:
        answer.damaged = drawing.places(modules, modules.damaged)
        answer.unsure = None if modules.unsure is None else drawing.places(modules, modules.unsure)
    return answer


def joined(readings: Sequence[Reading]) -> list[JoinedMessage]:
    """The messages of the sequences that are whole. Where two symbols claim one place, the sequence is left apart."""
    sequences: dict[tuple[int, int], dict[int, Reading]] = {}
    doubtful: set[tuple[int, int]] = set()
    for reading in readings:
        place = reading.symbol.sequence if reading.symbol else None
        if place is None or place.total < 2:
            continue
        parts = sequences.setdefault((place.parity, place.total), {})
        if parts.setdefault(place.index, reading).payload != reading.payload:
            doubtful.add((place.parity, place.total))
    return [
        _message([parts[index] for index in range(key[1])], *key)
        for key, parts in sequences.items()
        if len(parts) == key[1] and key not in doubtful
    ]


def _message(parts: Sequence[Reading], parity: int, total: int) -> JoinedMessage:
    payload = b"".join(part.payload for part in parts)
    pieces = [piece for part in parts for piece in part.pieces]
    meaning = interpret([Segment(piece.mode, piece.data, piece.eci, None) for piece in pieces])
    found = 0
    for byte in payload:
        found ^= byte
    return JoinedMessage(
        text=meaning.text,
        payload_base64=base64.b64encode(payload).decode("ascii"),
        encoding=meaning.encoding,
        encoding_source=meaning.source,
        total=total,
        parity=parity,
        parity_matches=found == parity,
    )


def _place(reading: Reading) -> StructuredAppend | None:
    place = reading.symbol.sequence if reading.symbol else None
    if place is None:
        return None
    return StructuredAppend(index=place.index, total=place.total, parity=place.parity)
