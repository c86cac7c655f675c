"""What the service answers, as Python objects."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from service.client.errors import ClientError

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StructuredAppend:
    """Place of a symbol in a sequence of symbols that hold one message."""

    index: int
    """0 for the first."""
    total: int
    parity: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a symbol was read; None where the reader does not tell."""

    misread_bound: float | None
    """Upper bound on the probability that the payload is not the printed one."""
    modules_corrected: int | None
    unused_error_correction: float | None
    """Share of the error correction that was not needed, 0 to 1."""
    pixels_per_module: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A symbol drawn anew, in one of three forms; the others are None."""

    svg: str | None
    png: bytes | None
    matrix: tuple[str, ...] | None
    """A row each, `1` dark and `0` light."""
    damaged: tuple[tuple[int, int], ...] | None
    """Row and column of the modules that were read in the wrong colour, where that was asked for."""
    unsure: tuple[tuple[int, int], ...] | None
    """Those that were only just read in the right one; None also where the reader does not tell."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The message of a sequence of symbols that were all there."""

    payload: bytes
    text: str | None
    encoding: str | None
    encoding_source: str | None
    total: int
    parity: int
    parity_matches: bool


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why there may be more to read than was read."""

    reason: str
    """`reader_timeout`, `reader_failed` or `too_long`."""
    retry: bool
    """Whether the same upload may be read another time."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol that was read."""

    payload: bytes
    """The truth."""
    text: str | None
    """The payload as text, or None where it is none in a known encoding."""
    encoding: str | None
    """Python codec that gave the text; `mixed` where there were several."""
    encoding_source: str | None
    """Who says so: `declared` by the symbol, `standard` for plain ASCII, or `guessed`."""
    points: tuple[tuple[float, float], ...]
    """Corners (x, y), clockwise as displayed from the symbol's own top left, in pixels of the upload as displayed."""
    reader: str
    attempt: str
    kind: str
    """`qr`, `qr_model_1`, `micro_qr` or `rmqr`."""
    symbology: str | None
    """Identifier of ISO/IEC 15424: `]Q1` plain, `]Q3` GS1, `]Q5` AIM, the next number with an ECI."""
    version: str | None
    error_correction: str | None
    mask: int | None
    mirrored: bool
    inverted: bool
    structured_append: StructuredAppend | None
    quality: Quality
    symbol: Drawing | None
    """The identical symbol, where that was asked for and its modules are known."""
    prior: bool = False
    """Whether it could only be read with a model of what payloads are, or with `expect`."""
    hint: str | None = None
    """`matched` or `not matched`: whether the payload is as `expect` says; None without it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One look of one reader, or the generator's work (`upscale`)."""

    attempt: str
    outcome: str
    """`read`, `nothing`, `done`, `timeout` or `failed`."""
    ms: float


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """Answer of `/v1/decode`."""

    symbols: tuple[Symbol, ...]
    """Empty where nothing was read."""
    joined: tuple[Joined, ...]
    """Messages of sequences whose parts are all among the symbols."""
    width: int
    """Of the upload as displayed, in pixels."""
    height: int
    upscaled: bool
    """Whether the generator was used."""
    complete: bool
    """False where there may be more than the symbols: `incomplete` says why."""
    incomplete: Incomplete | None
    attempts: tuple[Attempt, ...]
    timings_ms: Mapping[str, float]
    model: Model


@dataclass(frozen=True, slots=True)
class Enlarged:
    """Answer of `/v1/upscale`: an encoded image, exactly four times as wide and high."""

    image: bytes
    media_type: str
    decoded: Decoded | None
    """What was read, where that was asked for."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """One item of a batch: its answer, or why there is none."""

    source: Any
    """What the caller gave."""
    answer: T_co | None
    error: ClientError | OSError | None


def decoded(body: Mapping[str, Any]) -> Decoded:
    """From the JSON of an answer.

    Raises:
        KeyError, TypeError, ValueError: it is not such an answer.
    """
    return Decoded(
        symbols=tuple(
            Symbol(
                payload=base64.b64decode(symbol["payload_base64"], validate=True),
                text=symbol["text"],
                encoding=symbol["encoding"],
                encoding_source=symbol["encoding_source"],
                points=tuple((float(x), float(y)) for x, y in symbol["points"]),
                reader=symbol["reader"],
                attempt=symbol["attempt"],
                kind=symbol["kind"],
                symbology=symbol["symbology"],
                version=symbol["version"],
                error_correction=symbol["error_correction"],
                mask=symbol["mask"],
                mirrored=symbol["mirrored"],
                inverted=symbol["inverted"],
                structured_append=_place(symbol["structured_append"]),
                quality=_quality(symbol["quality"]),
                symbol=_drawing(symbol["symbol"]),
                prior=symbol.get("prior", False),
                hint=symbol.get("hint"),
            )
            for symbol in body["symbols"]
        ),
        joined=tuple(_joined(entry) for entry in body["joined"]),
        width=body["image"]["width"],
        height=body["image"]["height"],
        upscaled=body["upscaled"],
        complete=body["complete"],
        incomplete=_incomplete(body["incomplete"]),
        attempts=tuple(
            Attempt(entry["attempt"], entry["outcome"], float(entry["ms"])) for entry in body["attempts"]
        ),
        timings_ms=dict(body["timings_ms"]),
        model=Model(body["model"]["name"], body["model"]["version"]),
    )


def _place(body: Mapping[str, Any] | None) -> StructuredAppend | None:
    return None if body is None else StructuredAppend(body["index"], body["total"], body["parity"])


def _quality(body: Mapping[str, Any]) -> Quality:
    return Quality(
        body["misread_bound"],
        body["modules_corrected"],
        body["unused_error_correction"],
        float(body["pixels_per_module"]),
    )


def _drawing(body: Mapping[str, Any] | None) -> Drawing | None:
    if body is None:
        return None
    encoded = body["png_base64"]
    return Drawing(
        svg=body["svg"],
        png=None if encoded is None else base64.b64decode(encoded, validate=True),
        matrix=None if body["matrix"] is None else tuple(body["matrix"]),
        damaged=_places(body["damaged"]),
        unsure=_places(body["unsure"]),
    )


def _places(body: Sequence[Sequence[int]] | None) -> tuple[tuple[int, int], ...] | None:
    return None if body is None else tuple((row, column) for row, column in body)


def _joined(body: Mapping[str, Any]) -> Joined:
    return Joined(
        payload=base64.b64decode(body["payload_base64"], validate=True),
        text=body["text"],
        encoding=body["encoding"],
        encoding_source=body["encoding_source"],
        total=body["total"],
        parity=body["parity"],
        parity_matches=body["parity_matches"],
    )


def _incomplete(body: Mapping[str, Any] | None) -> Incomplete | None:
    return None if body is None else Incomplete(body["reason"], body["retry"])


def enlarged(body: Mapping[str, Any]) -> Enlarged:
    """From the JSON of an answer with `decode=true`.

    Raises:
        KeyError, TypeError, ValueError: it is not such an answer.
    """
    image = base64.b64decode(body["image_base64"], validate=True)
    return Enlarged(image, f"image/{body['format']}", decoded(body))
