"""The JSON answers of the service, and its query parameters."""

import base64
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.decoding.cascade import AttemptRecord, Outcome
from service.decoding.reading import Reading
from service.errors import STATUS
from service.imaging import Format

PROBLEM_TYPE = "application/problem+json"


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UpscaleQuery(_Query):
    format: Annotated[Format, Field(description="Format of the image in the answer.")] = "png"
    decode: Annotated[
        bool,
        Field(description="Answer JSON with the image in base64 and the symbols read, instead of the image."),
    ] = False


class Symbol(BaseModel):
    """One symbol that was read."""

    text: Annotated[
        str | None, Field(description="The payload as text; null where it is none in a known encoding.")
    ]
    payload_base64: Annotated[str, Field(description="The payload's bytes, complete.")]
    encoding: Annotated[str | None, Field(description="Encoding that gave `text`; null for binary payloads.")]
    points: Annotated[
        list[tuple[float, float]],
        Field(
            description="Corners (x, y), clockwise from the symbol's top left, in pixels of the upload as it "
            "is displayed, that is, after its EXIF orientation."
        ),
    ]
    reader: Annotated[str, Field(description="Which reader read it.")]
    attempt: Annotated[
        str, Field(description="At which attempt, for example on the upload or on the x4 image.")
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
    image: Annotated[Size, Field(description="Size of the upload as displayed: the frame of `points`.")]
    upscaled: Annotated[bool, Field(description="Whether the generator was used, or its draft.")]
    complete: Annotated[
        bool,
        Field(
            description="False where nothing was read and a reader took too long or failed: the same upload "
            "may be read another time."
        ),
    ]
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
    """What `/upscale` answers with `decode=true`."""

    format: Annotated[Format, Field(description="Format of `image_base64`.")]
    size: Annotated[Size, Field(description="Size of the upscaled image.")]
    image_base64: Annotated[str, Field(description="The upscaled image's bytes.")]


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


class ModelState(ModelRef):
    """The generator being served."""

    sha256: Annotated[str, Field(description="Of its ONNX file, in hexadecimal.")]
    parameters: Annotated[int, Field(description="Trained numbers in it.")]


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


class Readiness(BaseModel):
    """Whether requests can be served, judged by what there is."""

    ready: Annotated[bool, Field(description="Whether they can.")]
    reasons: Annotated[list[str], Field(description="Why not, where it is not.")]
    provider: Annotated[str, Field(description="ONNX Runtime execution provider really in use.")]
    model: Annotated[ModelState, Field(description="Which generator is being served, and its hash.")]
    draft: Annotated[
        bool, Field(description="Whether `/decode` looks at the image by the generator's 8-bit copy first.")
    ]
    decoder: Annotated[DecoderState, Field(description="State of the decoder processes.")]


class Liveness(BaseModel):
    """The process answers."""

    alive: Annotated[
        Literal[True], Field(description="Always true: a process that is not does not say so.")
    ] = True


def symbol(reading: Reading) -> Symbol:
    """The JSON form of a reading."""
    return Symbol(
        text=reading.text,
        payload_base64=base64.b64encode(reading.payload).decode("ascii"),
        encoding=reading.encoding,
        # Readers' corners are less precise than a hundredth of a pixel.
        points=[(round(x, 2), round(y, 2)) for x, y in reading.points],
        reader=reading.reader,
        attempt=reading.attempt,
    )


def attempt_report(record: AttemptRecord) -> AttemptReport:
    """The JSON form of what one attempt did."""
    return AttemptReport(attempt=record.attempt, outcome=record.outcome, ms=round(record.milliseconds, 1))


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of failures; `service.server.openapi` adds an example for each code."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem (RFC 9457)", "content": content} for status in statuses}
