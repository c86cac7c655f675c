"""The pipeline without a server: opened for a command, closed after it."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from model_store.manifest import ManifestError
from service import files
from service.cli.options import NOT_STARTED, UNUSABLE
from service.decoding.processes.errors import PoolError
from service.generator.engine import EngineError
from service.pipeline.first_use import fetch_nets
from service.pipeline.runtime import Services, opened
from service.settings import Settings

INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143
"""What shells make of SIGINT, of SIGPIPE and of SIGTERM."""


def with_services(work: Callable[[Services], Awaitable[int]]) -> int:
    """Do `work` with everything that the service would have, set up by the environment. Returns its exit status."""

    async def with_settings(settings: Settings) -> int:
        async with opened(settings) as ready:
            return await work(ready)

    return guarded(lambda settings: asyncio.run(with_settings(settings)))


def guarded(work: Callable[[Settings], int], *, first_use: bool = True) -> int:
    """Do `work` with the environment's settings, and say in a line what keeps it from being done. Returns the exit
    status.

    Args:
        first_use: whether an installed package may fetch what it lacks before.
    """
    # What goes wrong with a file is said in one line, not in the service's log.
    logging.getLogger("service").setLevel(logging.CRITICAL)
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            complain(f"QRSR_{str(fault['loc'][0]).upper()}: {fault['msg']}")
        return UNUSABLE
    try:
        if first_use:
            fetch_nets(settings, complain)
        return work(settings)
    except (ManifestError, EngineError, PoolError) as error:
        complain(str(error))
        return NOT_STARTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is still buffered must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def load(path: str, settings: Settings) -> bytes:
    """An upload from a file, or from standard input for `-`.

    Raises:
        FileError: it is none.
    """
    if path == "-":
        return files.checked(
            sys.stdin.buffer.read(settings.max_body_bytes + 1), max_bytes=settings.max_body_bytes
        )
    return files.load(path, max_bytes=settings.max_body_bytes)


def complain(text: str) -> None:
    """A line on standard error; file names may hold bytes that are no text."""
    print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
