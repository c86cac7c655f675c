"""The server process: serves HTTP until SIGTERM or SIGINT. Its exit status says how it ended."""

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
"""Exit statuses: stopped as asked, after accepted requests were answered or their grace period was over; invalid
settings; start-up failed; the engine failed permanently."""

UVICORN: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    # The client's address is not used.
    "proxy_headers": False,
    # Longer than the usual 60 s of proxies and clients: if the server closed an idle connection first, a request could
    # be on its way already.
    "timeout_keep_alive": 75,
    "loop": "uvloop",
    "ws": "none",
}
"""Options of uvicorn that do not depend on the settings."""

_log = logging.getLogger("service")


def main() -> int:
    """Serve with the settings from the environment. Returns the exit status."""
    # Before the server runs there is nothing to finish. When it has ended, uvicorn raises the signal once more.
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
        # uvicorn exits like this when it cannot listen, and `_end` when the process was asked to stop.
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
    """ASGI middleware for the lifespan: reports a failed start in one line, with the traceback at level debug.

    After a successful start it tunes garbage collection.
    """

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
            # It has been reported, and uvicorn would report it again with a traceback.
            if not self.failed:
                raise


def _raise_file_limit() -> None:
    """Raise the limit of open files: each connection needs one, and the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
