"""The application behind a real HTTP server in a thread of the test process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI

from service.server.connection import BoundedProtocol


@dataclass(frozen=True, slots=True)
class Server:
    app: FastAPI
    port: int
    uvicorn: uvicorn.Server

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)


@contextmanager
def running(app: FastAPI) -> Iterator[Server]:
    """Serve `app` on a free port of 127.0.0.1 until the block ends.

    Raises:
        RuntimeError: the application's lifespan failed.
    """
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, ws="none", http=BoundedProtocol, loop="uvloop"
    )
    server = uvicorn.Server(config)
    failure: list[BaseException] = []

    def serve() -> None:
        try:
            server.run()
        except BaseException as error:  # uvicorn leaves by SystemExit when the lifespan fails
            failure.append(error)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    if not server.started:
        raise RuntimeError("the application did not start") from (failure[0] if failure else None)
    try:
        yield Server(app, server.servers[0].sockets[0].getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
