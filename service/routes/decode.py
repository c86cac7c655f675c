"""`POST /decode`: the symbols in an upload."""

from fastapi import APIRouter, Depends, Request

from model_store.contract import Image
from service.decoding.cascade import DecodeResult, Upscale, Upscaled
from service.errors import ServiceError
from service.imaging import Picture, decode
from service.routes.form import UPLOAD, no_query
from service.schemas import DecodeAnswer, Size, problems, symbol
from service.services import Task, serve

_CUT_SHORT = ("timeout", "failed")


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["images"])

    @routes.post(
        "/decode",
        dependencies=[Depends(no_query)],
        openapi_extra=UPLOAD,
        responses=problems(400, 408, 413, 415, 422, 429, 503, 504),
    )
    async def decode_upload(request: Request) -> DecodeAnswer:
        """Read the symbols: from the upload first, then from its ×4 image."""
        return await serve(request, _work)

    return routes


async def _work(task: Task) -> DecodeAnswer:
    services = task.services
    with task.stages("decode_image"):
        picture = await services.in_thread(decode, task.data, max_pixels=services.settings.max_decode_pixels)

    async def upscale(plane: Image) -> Upscaled:
        with task.stages("upscale"):
            return await services.upscaler.upscale(plane, logits=True, deadline=task.deadline)

    small_enough = picture.height * picture.width <= services.settings.max_upscale_pixels
    result = await read_symbols(task, picture, upscale if small_enough else None)
    return answer(picture, result)


async def read_symbols(task: Task, picture: Picture, upscale: Upscale | None) -> DecodeResult:
    """Read a picture and count what was read.

    Raises:
        ServiceError: `deadline_exceeded` when time ran out before anything was read: "nothing there" would be
            a guess.
    """
    metrics = task.services.metrics
    with task.stages("read"):
        result = await task.services.decoder.decode(picture.pixels, upscale=upscale, deadline=task.deadline)
    for attempt in result.attempts:
        metrics.attempt_seconds.labels(attempt.attempt, attempt.outcome).observe(attempt.milliseconds / 1e3)
    for reading in result.readings:
        metrics.symbols.labels(reading.reader, reading.attempt).inc()
    if result.timed_out and not result.readings:
        raise ServiceError("deadline_exceeded", "not every reader had its turn within the deadline")
    return result


def answer(picture: Picture, result: DecodeResult) -> DecodeAnswer:
    """The JSON form of what was read from a picture."""
    return DecodeAnswer(
        symbols=[symbol(reading) for reading in result.readings],
        image=Size(width=picture.width, height=picture.height),
        upscaled=result.upscaled,
        complete=bool(result.readings) or all(entry.outcome not in _CUT_SHORT for entry in result.attempts),
    )
