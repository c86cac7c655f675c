"""Reads and enlarges an upload: from its bytes to the answer, independent of HTTP."""

import base64
import time
from dataclasses import dataclass
from functools import partial

from model_store.contract import SCALE, Image, luma, merge_colour
from model_store.contract import enlarge as enlarge_plane
from service.decoding.cascade import AttemptRecord, DecodeResult, Upscale, Upscaled
from service.decoding.reading import Kind, Reading
from service.errors import ServiceError
from service.imaging import Format, Picture, check_encodable, encode
from service.pipeline.answers import (
    DecodeAnswer,
    DecodeQuery,
    ModelRef,
    Size,
    UpscaleAnswer,
    UpscaleQuery,
    attempt_report,
    incomplete,
)
from service.pipeline.restoration import restored
from service.pipeline.runtime import Task
from service.pipeline.symbols import joined, symbol
from service.pipeline.upload_jobs import SMALL_PIXELS, Opened
from service.settings import Settings

_PLAIN = DecodeQuery()


@dataclass(frozen=True, slots=True)
class Enlarged:
    """The result of `enlarge`."""

    data: bytes
    media_type: str
    image: Size
    """Of the upload as displayed."""
    restored: int = 0
    """Symbols that were drawn into the image."""

    @property
    def size(self) -> Size:
        """Size of the enlarged image."""
        return Size(width=self.image.width * SCALE, height=self.image.height * SCALE)


@dataclass(frozen=True, slots=True)
class Read:
    """What `find` found."""

    readings: tuple[Reading, ...]
    answer: DecodeAnswer


async def read(task: Task, query: DecodeQuery = _PLAIN) -> DecodeAnswer:
    """Read the symbols; see `find`."""
    return (await find(task, query)).answer


async def find(task: Task, query: DecodeQuery = _PLAIN) -> Read:
    """Read the symbols: from the upload first, then from its x4 image.

    A small image is decoded and read by zxing-cpp in one job.

    Raises:
        ServiceError: as `Decoder.open`, the engine and `_read` do.
    """
    async with task.turn() as turn:
        opened, result = await _read_small(task, query.kinds)
        size = _size(opened)
        if not opened.readings:
            await turn.make_room(task.room(opened.width * opened.height))
            first = result if result.attempts else None
            picture = await _picture(task, opened, grey=True)
            size = _size(picture)
            result = await _read_enlarging(task, picture.pixels, query, after=first)
    return _answer(task, size, result, query)


async def _read_small(task: Task, kinds: tuple[Kind, ...]) -> tuple[Opened, DecodeResult]:
    services, stages = task.services, task.stages
    began, reading = time.perf_counter(), 0.0
    try:
        opened, result = await services.decoder.read_small(
            task.data, max_pixels=services.settings.max_decode_pixels, deadline=task.deadline, kinds=kinds
        )
        reading = sum(record.milliseconds for record in result.attempts) / 1e3
    finally:
        stages.add("decode_image", time.perf_counter() - began - reading)
    for record in result.attempts:
        _count_attempt(task, record)
    _count_symbols(task, result)
    return opened, result


async def _picture(task: Task, opened: Opened, *, grey: bool = False) -> Picture:
    """Decode an upload whose size is known, and for which there is room now.

    Raises:
        ServiceError: as `Decoder.open`.
    """
    if opened.picture is not None:
        return opened.picture
    pixels = opened.width * opened.height
    with task.stages("decode_image"):
        whole = await task.services.decoder.open(
            task.data, max_pixels=pixels, at_once=pixels, deadline=task.deadline, grey=grey
        )
    assert whole.picture is not None  # noqa: S101 - for the type checker; see `at_once`
    return whole.picture


async def _read_enlarging(
    task: Task, image: Image, query: DecodeQuery, after: DecodeResult | None = None
) -> DecodeResult:
    small_enough = image.shape[0] * image.shape[1] <= task.services.settings.max_upscale_pixels
    drafts = small_enough and task.services.upscaler.drafts
    return await _read(
        task,
        image,
        partial(_upscaled, task, logits=True) if small_enough else None,
        partial(_upscaled, task, logits=False, draft=True) if drafts else None,
        after,
        query,
    )


async def enlarge(task: Task, query: UpscaleQuery, decoding: DecodeQuery | None = None) -> Enlarged:
    """Enlarge the upload four times.

    Args:
        decoding: answer JSON with what is read as well, in this way.

    Raises:
        ServiceError: as `read`, and `image_too_large` where the format of the answer is too small.
    """
    services, reads = task.services, query.restore or decoding is not None
    most = services.settings.max_upscale_pixels
    async with task.turn() as turn:
        with task.stages("decode_image"):
            opened = await services.decoder.open(
                task.data, max_pixels=most, at_once=SMALL_PIXELS, deadline=task.deadline
            )
        await turn.make_room(task.room(opened.width * opened.height))
        picture = await _picture(task, opened)
        check_encodable(picture.height * SCALE, picture.width * SCALE, query.kind)
        upscaled = await _upscaled(task, luma(picture.pixels), logits=reads)

        async def done(_: Image) -> Upscaled:
            return upscaled

        found = None
        if reads:
            asked = decoding or _PLAIN
            result = await _read(task, picture.pixels, done, query=asked)
            found = _answer(task, _size(picture), result, asked)
        drawn = found.readings if found and query.restore else ()
        with task.stages("encode"):
            shown = upscaled.sr if upscaled.picture is None else upscaled.picture
            render = partial(_render, picture, shown, query.kind, services.settings)
            data, count = await services.in_thread(render, drawn)
        if decoding is None or found is None:
            return Enlarged(data, f"image/{query.kind}", _size(picture), count)
        found.answer.timings_ms = task.stages.milliseconds()
    answer = await services.in_thread(_json, found.answer, query.kind, data, count)
    return Enlarged(answer, "application/json", _size(picture), count)


async def _upscaled(task: Task, plane: Image, *, logits: bool, draft: bool = False) -> Upscaled:
    with task.stages("upscale"):
        return await task.services.upscaler.upscale(
            plane, logits=logits, deadline=task.deadline, draft=draft, observe=task.stages.add
        )


async def _read(
    task: Task,
    image: Image,
    upscale: Upscale | None,
    draft: Upscale | None = None,
    after: DecodeResult | None = None,
    query: DecodeQuery = _PLAIN,
) -> DecodeResult:
    """Read an image and count the symbols; `after` is the result for the first reader.

    Raises:
        ServiceError: `deadline_exceeded` when the deadline passed before a symbol was read. Whether there is none
            is not known then.
    """
    result = await task.services.decoder.decode(
        image,
        upscale=upscale,
        draft=draft,
        deadline=task.deadline,
        observe=partial(_count_attempt, task),
        after=after,
        kinds=query.kinds,
        expect=query.expect,
    )
    _count_symbols(task, result)
    if result.timed_out and not result.readings:
        raise _late(task)
    return result


def _late(task: Task) -> ServiceError:
    """The deadline passed. Whether it will again is told by what the time went into."""
    waited = sum(task.stages.milliseconds().get(stage, 0.0) for stage in ("wait", "queue"))
    deadline = task.services.settings.deadline_s
    if waited > 1e3 * deadline / 2:
        return ServiceError(
            "deadline_exceeded",
            "not every reader had its turn within the deadline, most of which went into waiting: try again",
            reason="deadline",
            retry_after=1,
        )
    return ServiceError(
        "deadline_exceeded",
        f"reading this image takes more than the {deadline:g} s of the deadline, and will again: send the part of it "
        "that shows the symbol",
        reason="deadline",
    )


def _count_attempt(task: Task, record: AttemptRecord) -> None:
    """Count an attempt. A reader's time belongs to the stage of its picture; the engine's is measured elsewhere."""
    seconds = record.milliseconds / 1e3
    task.services.metrics.attempt_seconds.labels(record.attempt, record.outcome).observe(seconds)
    if record.picture is not None:
        task.stages.add(
            "read_upload" if record.picture in ("upload", "colours") else "read_upscaled", seconds
        )


def _count_symbols(task: Task, result: DecodeResult) -> None:
    for reading in result.readings:
        task.services.metrics.symbols.labels(reading.reader, reading.attempt).inc()


def _answer(task: Task, size: Size, result: DecodeResult, query: DecodeQuery) -> Read:
    manifest = task.services.engine.engine.manifest
    missing = incomplete(result)
    answer = DecodeAnswer.model_construct(
        symbols=[
            symbol(reading, query.symbol, damage=query.damage, expect=query.expect)
            for reading in result.readings
        ],
        joined=joined(result.readings),
        image=size,
        upscaled=result.upscaled,
        complete=missing is None,
        incomplete=missing,
        attempts=[attempt_report(record) for record in result.attempts],
        timings_ms=task.stages.milliseconds(),
        model=ModelRef(name=manifest.name, version=manifest.version),
    )
    return Read(result.readings, answer)


def _size(picture: Picture | Opened) -> Size:
    return Size(width=picture.width, height=picture.height)


def _json(found: DecodeAnswer, kind: Format, data: bytes, count: int) -> bytes:
    answer = UpscaleAnswer.model_construct(
        **dict(found),
        format=kind,
        size=Size(width=found.image.width * SCALE, height=found.image.height * SCALE),
        image_base64=base64.b64encode(data).decode("ascii"),
        restored=count,
    )
    return answer.model_dump_json().encode()


def _render(
    picture: Picture, sr: Image, kind: Format, settings: Settings, drawn: tuple[Reading, ...]
) -> tuple[bytes, int]:
    """The encoded x4 image, and how many of the symbols `drawn` are in it."""
    pixels = sr if picture.pixels.ndim == 2 else merge_colour(picture.pixels, sr)
    count = 0
    if drawn:
        pixels, count = restored(pixels, drawn, SCALE)
    large = Picture(pixels, None if picture.alpha is None else enlarge_plane(picture.alpha))
    data = encode(large, kind, jpeg_quality=settings.jpeg_quality, webp_quality=settings.webp_quality)
    return data, count
