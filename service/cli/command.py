"""What all commands share: settings, services, error messages, exit statuses."""

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
"""Exit statuses that shells use for SIGINT, SIGPIPE and SIGTERM."""


def with_services(work: Callable[[Services], Awaitable[int]]) -> int:
    """Run `work` with the services for the settings in the environment. Returns its exit status."""

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
    # Errors are reported in one line each, not in the service's log.
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
        # The reader of the output has closed the pipe. Buffered output must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def load(path: str, settings: Settings) -> bytes:
    """Read an upload from a file, or from standard input for `-`.

    Raises:
        FileError: it cannot be used.
    """
    if path == "-":
        return files.checked(
            sys.stdin.buffer.read(settings.max_body_bytes + 1), max_bytes=settings.max_body_bytes
        )
    return files.load(path, max_bytes=settings.max_body_bytes)


def complain(text: str) -> None:
    """Print a line on standard error; bytes of file names that are not UTF-8 are escaped."""
    print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
