"""`POST /decode`: the symbols in an upload."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.pipeline.answers import DecodeAnswer, problems
from service.pipeline.read_and_enlarge import read
from service.server.request import serve
from service.server.routes.form import UPLOAD, no_query

PATH = "/decode"


async def decode_upload(request: Request) -> Response:
    """Read the symbols: from the upload first, then from its ×4 image."""
    # Called here and not as a dependency, which FastAPI would send to a thread for every request.
    no_query(request)
    answer = await serve(request, read)
    return Response(answer.model_dump_json(), media_type="application/json")


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["images"])
    routes.post(
        PATH,
        summary="Read the symbols in an image",
        openapi_extra=UPLOAD,
        response_model=DecodeAnswer,
        responses=problems(400, 401, 408, 413, 415, 422, 429, 503, 504),
    )(decode_upload)
    return routes
