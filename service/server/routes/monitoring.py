"""`/livez`, `/readyz` and `/metrics`, for orchestrators and monitoring."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.server.prometheus import Gather
from service.server.readiness import Liveness, Readiness, readiness


def router(gather: Gather) -> APIRouter:
    """The routes; `gather` gives the body of `/metrics`."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/livez", summary="Whether the process answers")
    async def livez() -> Liveness:
        """The process answers."""
        return Liveness()

    @routes.get(
        "/readyz",
        summary="Whether requests can be served, and by what",
        response_model=Readiness,
        responses={503: {"model": Readiness}},
    )
    async def readyz(request: Request) -> Response:
        """Whether requests can be served, and by what."""
        state = readiness(request.app.state.services)
        return JSONResponse(state.model_dump(), status_code=200 if state.ready else 503)

    @routes.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    async def metrics(request: Request) -> Response:
        """Prometheus text format."""
        return Response(await gather(request.app), media_type=CONTENT_TYPE_LATEST)

    return routes
