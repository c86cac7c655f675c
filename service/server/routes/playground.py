"""The pages for people: the playground at `/`, Swagger UI at `/docs`, and the files that both need.

Swagger UI comes with the package fastapi-offline, of which only these files are used.
"""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.pipeline.answers import ModelRef
from service.pipeline.runtime import Services
from service.server.readiness import readiness

STATIC = Path(__file__).resolve().parents[1] / "static"

_CLOSED = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; "
)
PLAYGROUND_CSP = _CLOSED + "script-src 'self'; style-src 'self'; img-src 'self' blob:"
DOCS_CSP = _CLOSED + "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
"""Swagger UI sets style attributes, and its style sheet contains icons as data URLs."""

_MARGIN_S = 10.0
"""Allowance for the network."""

# A browser revalidates pages and modules each time, since all must be of the same version of the service.
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class PlaygroundSettings(BaseModel):
    """The limits and the model that the page shows."""

    model: ModelRef
    needs_key: bool
    max_body_bytes: int
    max_decode_pixels: int
    max_upscale_pixels: int
    patience_s: float
    """Seconds after which the page gives a request up."""


class _Files(StaticFiles):
    """Static files that browsers revalidate each time; an unchanged file is answered with status 304."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response


def router(*, needs_key: bool) -> APIRouter:
    """The routes.

    Args:
        needs_key: whether `/decode` and `/upscale` require an API key; the pages never do.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def playground() -> FileResponse:
        return _page("index.html", PLAYGROUND_CSP)

    @routes.get("/docs")
    async def docs() -> FileResponse:
        return _page("docs.html", DOCS_CSP)

    @routes.get("/playground.json")
    async def settings(request: Request) -> PlaygroundSettings:
        services: Services = request.app.state.services
        model = readiness(services).model
        return PlaygroundSettings(
            model=ModelRef(name=model.name, version=model.version),
            needs_key=needs_key,
            max_body_bytes=services.settings.max_body_bytes,
            max_decode_pixels=services.settings.max_decode_pixels,
            max_upscale_pixels=services.settings.max_upscale_pixels,
            patience_s=services.settings.upload_timeout_s + services.settings.deadline_s + _MARGIN_S,
        )

    return routes


def files() -> list[Mount]:
    """`/static`, and Swagger UI below it."""
    return [
        Mount("/static/swagger", _Files(packages=[("fastapi_offline", "static")])),
        Mount("/static", _Files(directory=STATIC)),
    ]


def _page(name: str, policy: str) -> FileResponse:
    return FileResponse(STATIC / name, headers={**_HEADERS, "Content-Security-Policy": policy})
