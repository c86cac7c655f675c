"""What the service answers, as Python objects."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from service.client.errors import ClientError

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol that was read."""

    payload: bytes
    """The truth."""
    text: str | None
    """The payload as text, or None where it is none in a known encoding."""
    encoding: str | None
    points: tuple[tuple[float, float], ...]
    """Corners (x, y), clockwise from the symbol's top left, in pixels of the upload as displayed."""
    reader: str
    attempt: str


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
    width: int
    """Of the upload as displayed, in pixels."""
    height: int
    upscaled: bool
    """Whether the generator was used."""
    complete: bool
    """False where a reader took too long: the same upload may be read another time."""
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
                points=tuple((float(x), float(y)) for x, y in symbol["points"]),
                reader=symbol["reader"],
                attempt=symbol["attempt"],
            )
            for symbol in body["symbols"]
        ),
        width=body["image"]["width"],
        height=body["image"]["height"],
        upscaled=body["upscaled"],
        complete=body["complete"],
        attempts=tuple(
            Attempt(entry["attempt"], entry["outcome"], float(entry["ms"])) for entry in body["attempts"]
        ),
        timings_ms=dict(body["timings_ms"]),
        model=Model(body["model"]["name"], body["model"]["version"]),
    )


def enlarged(body: Mapping[str, Any]) -> Enlarged:
    """From the JSON of an answer with `decode=true`.

    Raises:
        KeyError, TypeError, ValueError: it is not such an answer.
    """
    image = base64.b64decode(body["image_base64"], validate=True)
    return Enlarged(image, f"image/{body['format']}", decoded(body))
