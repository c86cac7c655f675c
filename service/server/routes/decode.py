"""`POST /decode` and `/decode/batch`: the symbols in uploads."""

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import Route

from service.pipeline.answers import BatchAnswer, DecodeAnswer, DecodeQuery, problems
from service.pipeline.batch import read_all
from service.pipeline.read_and_enlarge import read
from service.pipeline.runtime import Task
from service.server.bodies import Item
from service.server.queries import query_of
from service.server.request import serve, serve_batch
from service.server.routes.form import BATCH, UPLOAD, parameters

_PATH, _BATCH_PATH = "/decode", "/decode/batch"
_STATUSES = (400, 401, 408, 413, 415, 422, 429, 503, 504)


async def decode_upload(request: Request) -> Response:
    """Read the symbols: from the upload first, then from its ×4 image."""
    # Called directly: FastAPI would run a dependency in a thread for every request.
    query = query_of(request, DecodeQuery)

    async def work(task: Task) -> DecodeAnswer:
        return await read(task, query)

    answer = await serve(request, work)
    return Response(answer.model_dump_json(), media_type="application/json")


async def decode_batch(request: Request) -> Response:
    """Read several uploads: an answer or a problem for each, in their order. They share the limits of one request."""
    query = query_of(request, DecodeQuery)

    async def work(task: Task, items: list[Item]) -> BatchAnswer:
        return await read_all(task, [(item.id, item.data) for item in items], query)

    answer = await serve_batch(request, work)
    return Response(answer.model_dump_json(), media_type="application/json")


def route(prefix: str) -> Route:
    """The route that answers. It precedes FastAPI's own route, which takes more time of the event loop.

    Kept for the row "`/decode`: all read from the upload" of "What a request costs" in docs/performance.md.
    """
    return Route(prefix + _PATH, decode_upload, methods=["POST"])


def router() -> APIRouter:
    """The same endpoints as routes of FastAPI, which describes them in the OpenAPI document."""
    routes = APIRouter(tags=["images"])
    query = {"parameters": parameters(DecodeQuery)}
    routes.post(
        _PATH,
        summary="Read the symbols in an image",
        openapi_extra=UPLOAD | query,
        response_model=DecodeAnswer,
        responses=problems(*_STATUSES),
    )(decode_upload)
    routes.post(
        _BATCH_PATH,
        summary="Read the symbols in several images",
        openapi_extra=BATCH | query,
        response_model=BatchAnswer,
        responses=problems(*_STATUSES),
    )(decode_batch)
    return routes
