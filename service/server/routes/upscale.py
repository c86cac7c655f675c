"""`POST /upscale` and `/upscale/decode`: the ×4 image of an upload, and what is read from it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.pipeline.answers import (
    DecodeQuery,
    UpscaleAnswer,
    UpscaleDecodeQuery,
    UpscaleOrDecodeQuery,
    UpscaleQuery,
    problems,
)
from service.pipeline.read_and_enlarge import Enlarged, enlarge
from service.pipeline.runtime import Task
from service.server.queries import query_of
from service.server.request import serve
from service.server.routes.form import UPLOAD, parameters

RESTORED = "X-Restored"
"""Header with the number of symbols that were drawn into the image."""
_RAW = "application/octet-stream"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_STATUSES = (400, 401, 408, 413, 415, 422, 429, 503, 504)


async def upscale_upload(request: Request) -> Response:
    """Exactly 4 times as wide and high. Colour stays colour; alpha is kept in PNG and WebP.

    The answer's type is that of the image, or application/octet-stream where the client accepts that by name.
    """
    query = query_of(request, UpscaleOrDecodeQuery)
    return await _answered(request, query, DecodeQuery() if query.decode else None)


async def upscale_and_decode(request: Request) -> Response:
    """Enlarge, and read the symbols from the upload and from the enlarged image."""
    query = query_of(request, UpscaleDecodeQuery)
    return await _answered(request, query, query)


async def _answered(request: Request, query: UpscaleQuery, decoding: DecodeQuery | None) -> Response:
    async def work(task: Task) -> Enlarged:
        return await enlarge(task, query, decoding)

    made = await serve(request, work)
    kind = made.media_type
    if decoding is None and _RAW in request.headers.get("accept", ""):
        kind = _RAW
    return Response(
        made.data, media_type=kind, headers={RESTORED: str(made.restored)} if query.restore else None
    )


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["images"])
    images = dict.fromkeys((_RAW, "image/png", "image/jpeg", "image/webp"), _BINARY)
    routes.post(
        "/upscale",
        summary="Enlarge an image four times",
        openapi_extra=UPLOAD | {"parameters": parameters(UpscaleQuery)},
        response_class=Response,
        responses={
            200: {"description": "The enlarged image.", "content": images},
            **problems(*_STATUSES),
        },
    )(upscale_upload)
    routes.post(
        "/upscale/decode",
        summary="Enlarge an image four times, and read its symbols",
        openapi_extra=UPLOAD | {"parameters": parameters(UpscaleDecodeQuery)},
        response_model=UpscaleAnswer,
        responses=problems(*_STATUSES),
    )(upscale_and_decode)
    return routes
