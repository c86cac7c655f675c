"""uvicorn as in the service, with an empty application: the cost of HTTP itself.

`python -m benchmark.serving.peers.bare` serves it.
"""

import os

import uvicorn
from starlette.types import Receive, Scope, Send

from service.server.main import UVICORN

_ANSWER = b"x" * 480
"""As long as an answer of `/decode` with one symbol."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body to its end, and always give the same answer."""
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    length = str(len(_ANSWER)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": _ANSWER})


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["QRSR_PORT"]),
        http="httptools",
        lifespan="off",
        **UVICORN,
    )
