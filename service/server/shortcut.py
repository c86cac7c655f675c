"""ASGI layer that calls the endpoint of a path at once, without the framework's routing.

Routing, dependencies and exit stacks take a tenth of a millisecond of the event loop for each request. That is nothing
beside enlarging, and much beside the reading of a clear crop, which takes a fifth of one.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import ServiceError
from service.server.problems import problem

Endpoint = Callable[[Request], Awaitable[Response]]


class Shortcut:
    """Answers `POST` to some paths itself; the framework has the same endpoints and answers whatever else comes."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        """`endpoints` by path; each raises nothing but `ServiceError` that a client is to hear of."""
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await endpoint(Request(scope, receive, send))
        except ServiceError as error:
            response = problem(error)
        await response(scope, receive, send)
