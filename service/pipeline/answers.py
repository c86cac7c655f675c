"""The JSON answers of the service, and its query parameters."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.decoding.cascade import AttemptRecord, DecodeResult, Outcome
from service.decoding.reading import Kind
from service.decoding.soft.prior.hints import hint
from service.decoding.zxing import KINDS
from service.errors import STATUS, ServiceError
from service.imaging import Format
from service.pipeline.symbols import DrawnAs, JoinedMessage, Symbol

PROBLEM_TYPE = "application/problem+json"


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecodeQuery(_Query):
    """How to read, and what to tell of what is read."""

    symbol: Annotated[
        DrawnAs | None,
        Field(description="Give each symbol back, drawn anew, as `svg`, `png` or `matrix`."),
    ] = None
    damage: Annotated[
        bool, Field(description="With `symbol`: also tell which modules were damaged, or hardly to be told.")
    ] = False
    formats: Annotated[
        str,
        Field(
            description="Kinds of symbols to look for, with commas between: `qr` (Model 1 too), `micro_qr`, `rmqr`. "
            "The last two have so little redundancy that they are misread more often: ask only where they occur.",
            pattern=r"^(qr|micro_qr|rmqr)(,(qr|micro_qr|rmqr))*$",
            examples=["qr", "qr,micro_qr,rmqr"],
        ),
    ] = "qr"
    expect: Annotated[
        str,
        Field(
            description="What the payload may be: `prefix:`, `charset:`, `length:` (bytes, or `20-30`), `regex:` or "
            "`list:` (candidates, one a line), and its value. It helps where a symbol is hardly readable and forces "
            "nothing; `hint` says whether what was read is as expected.",
            examples=["prefix:https://shop.example/", "length:27", "regex:[A-Z]{2}[0-9]{6}"],
        ),
    ] = ""

    @field_validator("expect")
    @classmethod
    def _understood(cls, text: str) -> str:
        if text:
            hint(text)
        return text

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What the readers look for."""
        asked = self.formats.split(",")
        return tuple(kind for kind in KINDS if kind.removesuffix("_model_1") in asked)


class UpscaleQuery(_Query):
    """What to make of an image."""

    format: Annotated[
        Literal["png", "jpeg", "jpg", "webp"], Field(description="Format of the image in the answer.")
    ] = "png"
    restore: Annotated[
        bool,
        Field(
            description="Read the symbols as well, and draw each crisply in its own place and perspective. The header "
            "`X-Restored` says how many; the rest of the picture stays as it is."
        ),
    ] = False

    @property
    def kind(self) -> Format:
        """The format without its other name."""
        return "jpeg" if self.format == "jpg" else self.format


class UpscaleOrDecodeQuery(UpscaleQuery):
    """The same, of a route whose answer may be either."""

    decode: Annotated[
        bool, Field(description="Answer what `/v1/upscale/decode` does, instead of the image.")
    ] = False


class UpscaleDecodeQuery(UpscaleQuery, DecodeQuery):
    """What to make of an image, and what to tell of its symbols."""


class Incomplete(BaseModel):
    """Why there may be more to read than was read."""

    reason: Annotated[
        Literal["reader_timeout", "reader_failed", "too_long"],
        Field(
            description="`reader_timeout`: a reader was ended by its clock. `reader_failed`: a reader raised or its "
            "process ended. `too_long`: no reader takes an image of that length."
        ),
    ]
    retry: Annotated[
        bool,
        Field(
            description="Whether the same upload may be read another time; where not, send a smaller part of it."
        ),
    ]


class Size(BaseModel):
    """Pixels, after EXIF orientation."""

    width: Annotated[int, Field(ge=1, description="Pixels from left to right.")]
    height: Annotated[int, Field(ge=1, description="Pixels from top to bottom.")]


class ModelRef(BaseModel):
    """A released generator."""

    name: Annotated[str, Field(description="Its name in the model store.")]
    version: Annotated[int, Field(description="Its version, which never changes its contents.")]


class AttemptReport(BaseModel):
    """One look of one reader at one picture, or the generator's work (`upscale`) between them."""

    attempt: Annotated[
        str,
        Field(
            description="Name of the attempt; `upscale` for the generator's part, `draft` for its faster copy's."
        ),
    ]
    outcome: Annotated[
        Outcome,
        Field(
            description="`read` or `nothing` of a reader, `done` of the generator; `timeout` or `failed` where "
            "an attempt took too long or its process ended."
        ),
    ]
    ms: Annotated[float, Field(ge=0, description="Milliseconds, waiting for a process included.")]


class DecodeAnswer(BaseModel):
    """What was read, and how."""

    symbols: Annotated[list[Symbol], Field(description="Empty where nothing was read; that is no error.")]
    joined: Annotated[
        list[JoinedMessage],
        Field(
            description="The messages of sequences of symbols (structured append) whose parts are all there."
        ),
    ]
    image: Annotated[Size, Field(description="Size of the upload as displayed: the frame of `points`.")]
    upscaled: Annotated[bool, Field(description="Whether the generator was used, or its draft.")]
    complete: Annotated[
        bool,
        Field(
            description="Whether every reader that had a turn came to an end by itself, and one had: false means that "
            "there may be more than `symbols`."
        ),
    ]
    incomplete: Annotated[Incomplete | None, Field(description="Why not, where `complete` is false.")]
    attempts: Annotated[
        list[AttemptReport], Field(description="What was tried, in the order of time; the last one ended it.")
    ]
    timings_ms: Annotated[
        dict[str, float],
        Field(
            description="Milliseconds by stage of the request, in the order of time; stages that did not happen "
            "are absent. Stages: `upload`, `wait`, `decode_image`, `read_upload`, `queue`, `inference`, `upscale`, "
            "`read_upscaled`, `encode`."
        ),
    ]
    model: Annotated[ModelRef, Field(description="The generator in use.")]


class UpscaleAnswer(DecodeAnswer):
    """What `/v1/upscale/decode` answers."""

    format: Annotated[Format, Field(description="Format of `image_base64`.")]
    size: Annotated[Size, Field(description="Size of the upscaled image.")]
    image_base64: Annotated[str, Field(description="The upscaled image's bytes.")]
    restored: Annotated[
        int, Field(ge=0, description="Symbols that were drawn into the image, with `restore=true`.")
    ]


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `detail` is for people."""

    type: Annotated[str, Field(description="Always `about:blank`: `code` tells which problem it is.")]
    title: Annotated[str, Field(description="The status in words.")]
    status: Annotated[int, Field(description="The HTTP status.")]
    code: Annotated[
        str, Field(description="Which problem it is; meant for programs.", examples=sorted(STATUS))
    ]
    detail: Annotated[str, Field(description="What happened; meant for people, and may change.")]
    errors: Annotated[
        list[dict[str, str]] | None, Field(description="Of `invalid_query`: one entry a refused value.")
    ] = None


class BatchEntry(BaseModel):
    """What became of one image of a batch: one of the two is null."""

    id: Annotated[str | None, Field(description="What the client calls it: the `id`, or the file's name.")]
    answer: Annotated[DecodeAnswer | None, Field(description="What was read.")]
    problem: Annotated[Problem | None, Field(description="Why nothing could be.")]


class BatchAnswer(BaseModel):
    """What `/v1/decode/batch` answers."""

    answers: Annotated[list[BatchEntry], Field(description="One for each image, in their order.")]
    joined: Annotated[
        list[JoinedMessage],
        Field(description="As of one image, of sequences whose parts are in any of the images."),
    ]


class DecoderState(BaseModel):
    """The processes that readers run in."""

    children: Annotated[int, Field(description="Decoder processes.")]
    restarts: Annotated[
        int,
        Field(
            description="Children started in place of one that ended, took too long or had done its share."
        ),
    ]
    crashes: Annotated[int, Field(description="Children that ended over a job.")]
    idle_exits: Annotated[int, Field(description="Children that ended while they had none.")] = 0
    timeouts: Annotated[int, Field(description="Reading attempts that took too long.")]
    wechat_nets: Annotated[
        bool, Field(description="Whether WeChatQRCode has its two nets, detector and super-resolution.")
    ]


def incomplete(result: DecodeResult) -> Incomplete | None:
    """Why there may be more to read than was read; None where nothing stands in the way of believing the result."""
    outcomes = [entry.outcome for entry in result.attempts]
    if "timeout" in outcomes:
        # What exceeds a reader's own limit does so again; what only ran out of the request's time need not.
        return Incomplete(reason="reader_timeout", retry=result.timed_out)
    if "failed" in outcomes:
        return Incomplete(reason="reader_failed", retry=False)
    if not {"read", "nothing"}.intersection(outcomes):
        return Incomplete(reason="too_long", retry=False)
    return None


def attempt_report(record: AttemptRecord) -> AttemptReport:
    """The JSON form of what one attempt did."""
    return AttemptReport(attempt=record.attempt, outcome=record.outcome, ms=round(record.milliseconds, 1))


def problem_of(error: ServiceError) -> Problem:
    """The JSON form of a failure, as part of another answer."""
    return Problem(
        type="about:blank",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        code=error.code,
        detail=error.detail,
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of failures; `service.server.openapi` adds an example for each code."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem (RFC 9457)", "content": content} for status in statuses}
