"""`POST /upscale`: the ×4 image of an upload."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.pipeline.answers import UpscaleAnswer, UpscaleQuery, problems
from service.pipeline.read_and_enlarge import Enlarged, enlarge
from service.pipeline.runtime import Task
from service.server.request import serve
from service.server.routes.form import UPLOAD


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["images"])

    @routes.post(
        "/upscale",
        summary="Enlarge an image four times",
        openapi_extra=UPLOAD,
        response_model=UpscaleAnswer,
        responses={
            200: {
                "description": "The image; JSON with `decode=true`.",
                "content": {f"image/{kind}": {} for kind in ("png", "jpeg", "webp")},
            },
            **problems(400, 401, 408, 413, 415, 422, 429, 503, 504),
        },
    )
    async def upscale_upload(request: Request, query: Annotated[UpscaleQuery, Query()]) -> Response:
        """Exactly 4 times as wide and high. Colour stays colour; alpha is kept in PNG and WebP."""

        async def work(task: Task) -> Enlarged:
            return await enlarge(task, query)

        made = await serve(request, work)
        return Response(made.data, media_type=made.media_type)

    return routes
