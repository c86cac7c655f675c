"""`POST /upscale`: the ×4 image of an upload."""

import base64
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from model_store.contract import SCALE, Image, enlarge, luma, merge_colour
from service.decoding.cascade import Upscaled
from service.imaging import Format, Picture, check_encodable, decode, encode
from service.routes.decode import answer, read_symbols
from service.routes.form import UPLOAD
from service.schemas import DecodeAnswer, Size, UpscaleAnswer, UpscaleQuery, problems
from service.services import Task, serve
from service.settings import Settings


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["images"])

    @routes.post(
        "/upscale",
        openapi_extra=UPLOAD,
        response_model=UpscaleAnswer,
        responses={
            200: {
                "description": "The image; JSON with `decode=true`.",
                "content": {f"image/{kind}": {} for kind in ("png", "jpeg", "webp")},
            },
            **problems(400, 408, 413, 415, 422, 429, 503, 504),
        },
    )
    async def upscale_upload(request: Request, query: Annotated[UpscaleQuery, Query()]) -> Response:
        """Exactly 4 times as wide and high. Colour stays colour; alpha is kept in PNG and WebP."""

        async def work(task: Task) -> Response:
            return await _work(task, query)

        return await serve(request, work)

    return routes


async def _work(task: Task, query: UpscaleQuery) -> Response:
    services, stages = task.services, task.stages
    with stages("decode_image"):
        picture = await services.in_thread(decode, task.data, max_pixels=services.settings.max_upscale_pixels)
    check_encodable(picture.height * SCALE, picture.width * SCALE, query.format)
    with stages("upscale"):
        upscaled = await services.upscaler.upscale(
            luma(picture.pixels), logits=query.decode, deadline=task.deadline
        )
    with stages("encode"):
        size, data = await services.in_thread(_render, picture, upscaled.sr, query, services.settings)
    if not query.decode:
        return Response(data, media_type=f"image/{query.format}")

    async def done(_: Image) -> Upscaled:
        return upscaled

    read = answer(picture, await read_symbols(task, picture, done))
    return await services.in_thread(_json, read, query.format, size, data)


def _json(read: DecodeAnswer, kind: Format, size: Size, data: bytes) -> Response:
    body = UpscaleAnswer(
        **dict(read),
        format=kind,
        size=size,
        image_base64=base64.b64encode(data).decode("ascii"),
    )
    return Response(body.model_dump_json(), media_type="application/json")


def _render(picture: Picture, sr: Image, query: UpscaleQuery, settings: Settings) -> tuple[Size, bytes]:
    pixels = sr if picture.pixels.ndim == 2 else merge_colour(picture.pixels, sr)
    large = Picture(pixels, None if picture.alpha is None else enlarge(picture.alpha))
    data = encode(large, query.format, jpeg_quality=settings.jpeg_quality, webp_quality=settings.webp_quality)
    return Size(width=picture.width * SCALE, height=picture.height * SCALE), data
