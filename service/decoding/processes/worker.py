"""A decoder process: `python -m service.decoding.processes.worker FD`, where FD is its end of a socket pair.

It is a program of its own. `multiprocessing` would import the service's main module, and with it the web framework,
into every decoder process.
"""

import functools
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from service.decoding.processes import messages, sandbox
from service.machine import give_way

GRACE = 5.0
"""Seconds after a job's limit at which the process ends itself, if its parent has not killed it."""


def main() -> None:
    """Build the context that the first message names, confirm it, then answer jobs until the channel is closed."""
    # Ctrl-C reaches the whole process group; the parent ends its decoder processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=int(sys.argv[1]))
    try:
        header, blobs = messages.receive(channel)
        setup = messages.decode(header, blobs, messages.Setup)
        sandbox.limit(setup.memory_bytes)
        factory = named(setup.factory)
        context = factory(*messages.signature(factory).values(setup.arguments, blobs))
        if setup.confined:
            sandbox.confine()
        # Only now: start-up is not slowed down, since until then a process is missing.
        give_way()
        messages.send_parts(channel, messages.encode((setup.number, True, os.getpid())))
        while True:
            _serve(channel, context)
    except (EOFError, BrokenPipeError):
        return


def name_of(function: Callable[..., object]) -> str:
    """The name by which `named` finds a function."""
    return f"{function.__module__}:{function.__qualname__}"


@functools.cache
def named(name: str) -> Callable[..., Any]:
    """The function, class or method with this name."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def _serve(channel: socket.socket, context: object) -> None:
    header, blobs = messages.receive(channel)
    call = messages.decode(header, blobs, messages.Call)
    # The default action of SIGALRM ends the process even where native code never returns to Python.
    signal.setitimer(signal.ITIMER_REAL, call.limit + GRACE)
    try:
        job = named(call.job)
        arguments = messages.signature(job, given=1).values(call.arguments, blobs)
        # As `messages.Answer` has it.
        parts = messages.encode((call.number, True, job(context, *arguments)))
    except Exception as error:
        # Only the type, since a message may contain a payload.
        parts = messages.encode((call.number, False, type(error).__name__))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    messages.send_parts(channel, parts)


if __name__ == "__main__":
    main()
