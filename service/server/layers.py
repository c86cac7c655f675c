"""The application as a server calls it: our own ASGI layers around the framework's.

As middleware of FastAPI's they would lie inside its telemetry, body limit and handling of failures, which do nothing
for a request that our layers answer and cost the event loop as much as some of them.
"""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send


class Layered(FastAPI):
    """FastAPI with layers around it."""

    _outermost: ASGIApp | None = None

    def surround(self, layer: Callable[[ASGIApp], ASGIApp]) -> None:
        """Put `layer` around everything that is there. It sees HTTP requests alone: the server's
        start and end are the framework's."""
        self._outermost = layer(self._outermost or super().__call__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._outermost is None or scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        # As the framework does, for whoever answers before it is called.
        scope["app"] = self
        await self._outermost(scope, receive, send)
