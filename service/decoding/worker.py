"""A decoder process: `python -m service.decoding.worker FD`, where FD is its end of a socket pair.

It is started as a program of its own and not through `multiprocessing`, which would import the service's main
module, and with it the web framework, into every decoder.
"""

import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

GRACE = 5.0
"""Seconds after a job's limit at which the process ends itself, should its parent not be there to do so."""


def main() -> None:
    """Build the context that the first message names, say so, then answer job after job until EOF."""
    # Ctrl-C reaches the whole process group; the parent decides when its decoders end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Connection(int(sys.argv[1]))
    try:
        factory, arguments = _receive(channel)
        context = factory(*arguments)
        _reply(channel, (True, os.getpid()))
        while True:
            _serve(channel, context)
    except EOFError:
        return


def _serve(channel: Connection, context: object) -> None:
    job, arguments, limit = _receive(channel)
    # The default action of SIGALRM ends the process even where native code never returns to Python.
    signal.setitimer(signal.ITIMER_REAL, limit + GRACE)
    try:
        answer: tuple[bool, Any] = (True, job(context, *arguments))
    except Exception as error:
        # The type alone: a message may quote a payload.
        answer = (False, type(error).__name__)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _reply(channel, answer)


def _receive(channel: Connection) -> Any:
    message = channel.recv_bytes()
    # An empty message says that work begins: who ends before it ended over nothing.
    channel.send_bytes(b"")
    return pickle.loads(message)  # noqa: S301 - from the parent process alone


def _reply(channel: Connection, answer: tuple[bool, Any]) -> None:
    channel.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    main()
