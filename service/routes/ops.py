"""`/livez`, `/readyz`, `/metrics`: for the orchestrator and the monitoring, not for clients."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.health import readiness
from service.schemas import Liveness, Readiness
from service.services import Services


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/livez")
    async def livez() -> Liveness:
        """The process answers."""
        return Liveness()

    @routes.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
    async def readyz(request: Request) -> Response:
        """Whether requests can be served, and by what."""
        state = readiness(request.app.state.services)
        return JSONResponse(state.model_dump(), status_code=200 if state.ready else 503)

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics(request: Request) -> Response:
        """Prometheus text format."""
        services: Services = request.app.state.services
        shown = services.metrics
        shown.in_flight.set(request.app.state.gate.taken)
        shown.pixels_held.set(services.pixels.total - services.pixels.free)
        shown.engine_queue.set(services.engine.waiting)
        state = readiness(services)
        shown.decoders.set(state.decoder.children)
        shown.ready.set(state.ready)
        return Response(services.metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return routes
