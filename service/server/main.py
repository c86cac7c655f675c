"""One process that serves HTTP until SIGTERM or SIGINT, and what its exit status says."""

import logging
import os
import resource
import signal
import sys
from types import FrameType
from typing import Any

import uvicorn
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import logs, machine
from service.pipeline.first_use import fetch_nets
from service.server import listening
from service.server.api_keys import KeysError
from service.server.app import create_app
from service.server.connection import BoundedProtocol
from service.server.tracing import TracingError
from service.settings import Settings, unknown

ENDED, NOT_SET_UP, NOT_STARTED, LOST = 0, 2, 3, 70
"""Exit status: asked to end, and every accepted request answered or out of its grace; settings that make no sense;
something that is needed is missing; the engine broke for good."""

UVICORN: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    # Nothing here asks for the client's address.
    "proxy_headers": False,
    # Longer than proxies and clients keep idle connections, often 60 s: whoever closes first, it must not be we, or a
    # request meets a closed door.
    "timeout_keep_alive": 75,
    "loop": "uvloop",
    "ws": "none",
}
"""What uvicorn is told whatever the settings."""

_log = logging.getLogger("service")


def main() -> int:
    """Serve as the environment says. Returns the exit status."""
    # Before there is a server to end gracefully there is nothing to finish. Afterwards uvicorn raises the signals
    # again that it was ended by, and this is then all they do.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        settings = Settings()
        logs.configure(settings.log_level)
        for name in unknown(os.environ):
            _log.warning("%s is not a setting and has no effect", name)
        if (taken := listening.obstacle(settings.host, settings.port)) is not None:
            print(taken, file=sys.stderr)
            return NOT_STARTED
        fetch_nets(settings, _log.info)
        app = create_app(settings)
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            print(f"QRSR_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return NOT_SET_UP
    except (KeysError, TracingError) as error:
        print(error, file=sys.stderr)
        return NOT_SET_UP
    _raise_file_limit()
    startup = _Startup(app, listening.invitation(settings.host, settings.port))
    server = uvicorn.Server(
        uvicorn.Config(
            startup,
            host=settings.host,
            port=settings.port,
            http=BoundedProtocol,
            timeout_graceful_shutdown=settings.shutdown_grace_s,
            **UVICORN,
        )
    )
    try:
        server.run()
    except SystemExit as ended:
        # uvicorn's way to say that it could not listen, and ours to say that it was asked to end.
        if not server.started and ended.code:
            return NOT_STARTED
    if startup.failed or not server.started:
        return NOT_STARTED
    services = getattr(app.state, "services", None)
    return LOST if services is not None and services.engine.lost else ENDED


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(ENDED)


class _Startup:
    """ASGI layer that makes one line of whatever keeps the application from starting; the traceback is logged at
    level debug. Memory is settled once it has started."""

    def __init__(self, app: ASGIApp, invitation: str) -> None:
        self._app = app
        self._invitation = invitation
        self.failed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def brief(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.failed = True
                error = sys.exception()
                _log.debug("cannot start", exc_info=error)
                message = {**message, "message": f"cannot start: {type(error).__name__}: {error}"}
            elif message["type"] == "lifespan.startup.complete":
                machine.settle()
                # For people: whoever collects logs has no terminal.
                if sys.stderr.isatty():
                    print(self._invitation, file=sys.stderr)
            await send(message)

        try:
            await self._app(scope, receive, brief)
        except Exception:
            # Told above, and uvicorn would tell it again with a traceback.
            if not self.failed:
                raise


def _raise_file_limit() -> None:
    """Each connection takes a descriptor, and the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
