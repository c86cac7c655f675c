"""The address to listen on, before there is anything to serve: whether it is free, and what a browser calls it.

Needs the standard library alone: `make serve` runs it as a script, `listening.py HOST PORT`, before it installs.
"""

import socket
import sys


def obstacle(host: str, port: int) -> str | None:
    """What keeps this process from listening there, in a line for people; None where nothing does.

    The model takes seconds to load, which would be in vain. Nothing is held: whoever takes the port in between is
    noticed when the service begins to listen.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        return f"cannot listen on {host}: {error.strerror or error}"
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as trial:
            # As the server itself: connections of a former one that are closing are no obstacle.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(address)
            except OSError as error:
                return (
                    f"cannot listen on {host} port {port}: {error.strerror}. Another program may have it; "
                    f"another port: QRSR_PORT=8001, or with make PORT=8001"
                )
    return None


def invitation(host: str, port: int) -> str:
    """Where to click, for whoever sits at this machine."""
    if not port:
        return "Ready; the log names the port."
    everywhere = host in ("", "0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104 - compared, not listened on
    name = "localhost" if everywhere else f"[{host}]" if ":" in host else host
    return f"Open http://{name}:{port} in a browser (interface: http://{name}:{port}/docs). Ctrl-C ends it."


if __name__ == "__main__":
    sys.exit(obstacle(sys.argv[1], int(sys.argv[2])))
