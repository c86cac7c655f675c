"""`POST /decode`: the symbols in an upload."""

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import Route

from service.pipeline.answers import DecodeAnswer, problems
from service.pipeline.read_and_enlarge import read
from service.server.request import serve
from service.server.routes.form import UPLOAD, no_query

_PATH = "/decode"


async def decode_upload(request: Request) -> Response:
    """Read the symbols: from the upload first, then from its ×4 image."""
    # Called directly: FastAPI would run a dependency in a thread for every request.
    no_query(request)
    answer = await serve(request, read)
    return Response(answer.model_dump_json(), media_type="application/json")


def route(prefix: str) -> Route:
    """The route that answers. It precedes FastAPI's own route, which takes twice the time of the event loop.

    Kept for the row "`/decode`: all read from the upload" of "What a request costs" in docs/performance.md.
    """
    return Route(prefix + _PATH, decode_upload, methods=["POST"])


def router() -> APIRouter:
    """The same endpoint as a route of FastAPI, which describes it in the OpenAPI document."""
    routes = APIRouter(tags=["images"])
    routes.post(
        _PATH,
        summary="Read the symbols in an image",
        openapi_extra=UPLOAD,
        response_model=DecodeAnswer,
        responses=problems(400, 401, 408, 413, 415, 422, 429, 503, 504),
    )(decode_upload)
    return routes
