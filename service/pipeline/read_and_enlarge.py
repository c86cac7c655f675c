"""What is made of an upload, from its bytes to the answer. Knows nothing of HTTP."""

import base64
import math
import time
from dataclasses import dataclass
from functools import partial

from model_store.contract import SCALE, Image, luma, merge_colour
from model_store.contract import enlarge as enlarge_plane
from service.decoding.cascade import DecodeResult, Upscale, Upscaled
from service.errors import ServiceError
from service.imaging import Format, Picture, check_encodable, encode
from service.pipeline import upload_job
from service.pipeline.answers import (
    DecodeAnswer,
    ModelRef,
    Size,
    UpscaleAnswer,
    UpscaleQuery,
    attempt_report,
    symbol,
)
from service.pipeline.runtime import Task
from service.pipeline.upload_job import Look
from service.settings import Settings

_CUT_SHORT = ("timeout", "failed")


@dataclass(frozen=True, slots=True)
class Enlarged:
    """An answer of `enlarge`."""

    data: bytes
    media_type: str
    image: Size
    """Of the upload as displayed."""

    @property
    def size(self) -> Size:
        """Of the enlarged image."""
        return Size(width=self.image.width * SCALE, height=self.image.height * SCALE)


async def read(task: Task) -> DecodeAnswer:
    """Read the symbols: from the upload first, then from its x4 image.

    A small upload is decoded by the process that has the first look at it.

    Raises:
        ServiceError: as `Decoder.look`, `Task.picture`, the engine and `_read` do.
    """
    if len(task.data) <= upload_job.MOST_BYTES:
        look, result = await _read_small(task)
        if look.decoded:
            return _answer(task, Size(width=look.width, height=look.height), result)
    async with task.picture(max_pixels=task.services.settings.max_decode_pixels) as picture:
        result = await _read_enlarging(task, picture.pixels)
    return _answer(task, _size(picture), result)


async def _read_small(task: Task) -> tuple[Look, DecodeResult]:
    """A look at a small upload and, where nothing was read by it, everything after it."""
    async with task.turn():
        look, first = await _look(task)
        if look.image is None:
            return look, _counted(task, first)
        room = task.room(look.image.size)
        # To wait for room with a turn in hand could be for ever: who has the room may wait for a turn.
        with task.services.pixels.held_now(room) as held:
            if held:
                return look, await _read_enlarging(task, look.image, after=first)
    async with task.turn(room):
        return look, await _read_enlarging(task, look.image, after=first)


async def _look(task: Task) -> tuple[Look, DecodeResult]:
    services, stages = task.services, task.stages
    began, decoding = time.perf_counter(), math.inf
    try:
        look, result = await services.decoder.look(
            task.data, max_pixels=services.settings.max_decode_pixels, deadline=task.deadline
        )
        decoding = look.decoding
    finally:
        whole = time.perf_counter() - began
        stages.add("decode_image", min(decoding, whole))
    stages.add("read_upload", whole - decoding)
    return look, result


async def _read_enlarging(task: Task, image: Image, after: DecodeResult | None = None) -> DecodeResult:
    small_enough = image.shape[0] * image.shape[1] <= task.services.settings.max_upscale_pixels
    drafts = small_enough and task.services.upscaler.drafts
    return await _read(
        task,
        image,
        partial(_upscaled, task, logits=True) if small_enough else None,
        partial(_upscaled, task, logits=False, draft=True) if drafts else None,
        after,
    )


async def enlarge(task: Task, query: UpscaleQuery) -> Enlarged:
    """Enlarge the upload four times, and read it where the query asks for that.

    Raises:
        ServiceError: as `read`, and `image_too_large` where the format cannot hold the answer.
    """
    services = task.services
    async with task.picture(max_pixels=services.settings.max_upscale_pixels) as picture:
        check_encodable(picture.height * SCALE, picture.width * SCALE, query.format)
        upscaled = await _upscaled(task, luma(picture.pixels), logits=query.decode)
        with task.stages("encode"):
            data = await services.in_thread(_render, picture, upscaled.sr, query.format, services.settings)
        if not query.decode:
            return Enlarged(data, f"image/{query.format}", _size(picture))

        async def done(_: Image) -> Upscaled:
            return upscaled

        found = _answer(task, _size(picture), await _read(task, picture.pixels, done))
    answer = await services.in_thread(_json, found, query.format, data)
    return Enlarged(answer, "application/json", _size(picture))


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
) -> DecodeResult:
    """Read an image and count what was read; `after` is what the first look has found.

    Raises:
        ServiceError: `deadline_exceeded` when time ran out before anything was read: "nothing there" would be
            a guess.
    """
    stages = task.stages
    began, stage = time.perf_counter(), "read_upload"

    async def between(engine: Upscale, plane: Image) -> Upscaled:
        nonlocal began, stage
        stages.add(stage, time.perf_counter() - began)
        try:
            return await engine(plane)
        finally:
            began, stage = time.perf_counter(), "read_upscaled"

    try:
        result = await task.services.decoder.decode(
            image,
            upscale=partial(between, upscale) if upscale else None,
            draft=partial(between, draft) if draft else None,
            deadline=task.deadline,
            after=after,
        )
    finally:
        stages.add(stage, time.perf_counter() - began)
    _counted(task, result)
    if result.timed_out and not result.readings:
        raise ServiceError(
            "deadline_exceeded", "not every reader had its turn within the deadline", reason="deadline"
        )
    return result


def _counted(task: Task, result: DecodeResult) -> DecodeResult:
    metrics = task.services.metrics
    for attempt in result.attempts:
        metrics.attempt_seconds.labels(attempt.attempt, attempt.outcome).observe(attempt.milliseconds / 1e3)
    for reading in result.readings:
        metrics.symbols.labels(reading.reader, reading.attempt).inc()
    return result


def complete(result: DecodeResult) -> bool:
    """Whether nothing stands in the way of believing the result: an empty one may be due to a reader that took
    too long."""
    return bool(result.readings) or all(entry.outcome not in _CUT_SHORT for entry in result.attempts)


def _answer(task: Task, size: Size, result: DecodeResult) -> DecodeAnswer:
    manifest = task.services.engine.engine.manifest
    return DecodeAnswer(
        symbols=[symbol(reading) for reading in result.readings],
        image=size,
        upscaled=result.upscaled,
        complete=complete(result),
        attempts=[attempt_report(record) for record in result.attempts],
        timings_ms=task.stages.milliseconds(),
        model=ModelRef(name=manifest.name, version=manifest.version),
    )


def _size(picture: Picture) -> Size:
    return Size(width=picture.width, height=picture.height)


def _json(found: DecodeAnswer, kind: Format, data: bytes) -> bytes:
    answer = UpscaleAnswer(
        **dict(found),
        format=kind,
        size=Size(width=found.image.width * SCALE, height=found.image.height * SCALE),
        image_base64=base64.b64encode(data).decode("ascii"),
    )
    return answer.model_dump_json().encode()


def _render(picture: Picture, sr: Image, kind: Format, settings: Settings) -> bytes:
    pixels = sr if picture.pixels.ndim == 2 else merge_colour(picture.pixels, sr)
    large = Picture(pixels, None if picture.alpha is None else enlarge_plane(picture.alpha))
    return encode(large, kind, jpeg_quality=settings.jpeg_quality, webp_quality=settings.webp_quality)
