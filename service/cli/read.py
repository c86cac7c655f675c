"""`python -m service read`: prints the payloads of files in their order; several files are processed at a time."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import islice

from pydantic import ValidationError

from service.cli.command import complain, load, with_services
from service.cli.options import NOTHING, READ, UNUSABLE, ReadOptions
from service.cli.terminal import plain
from service.errors import ServiceError
from service.files import FileError, utf8
from service.machine import usable_cpus
from service.pipeline.answers import DecodeAnswer, DecodeQuery
from service.pipeline.read_and_enlarge import read
from service.pipeline.runtime import Services, Task
from service.pipeline.symbols import Symbol

Outcome = DecodeAnswer | FileError | ServiceError


def run(options: ReadOptions) -> int:
    """Print the payloads. Returns the exit status."""
    try:
        query = DecodeQuery(expect=options.expect)
    except ValidationError as error:
        complain(f"--expect: {error.errors()[0]['msg'].removeprefix('Value error, ')}")
        return UNUSABLE
    # UTF-8, whatever the locale.
    getattr(sys.stdout, "reconfigure", lambda **_: None)(encoding="utf-8", errors="backslashreplace")

    async def work(services: Services) -> int:
        status = READ
        async with aclosing(_outcomes(services, options.files, query)) as outcomes:
            async for path, outcome in outcomes:
                _show(path, outcome, options)
                if not isinstance(outcome, DecodeAnswer):
                    status = max(status, UNUSABLE)
                elif not outcome.symbols:
                    status = max(status, NOTHING)
        return status

    return with_services(work)


def _show(path: str, outcome: Outcome, options: ReadOptions) -> None:
    if options.as_json:
        print(_line(path, outcome), flush=True)
    elif isinstance(outcome, DecodeAnswer):
        start = f"{plain(path)}: " if len(options.files) > 1 else ""
        for symbol in outcome.symbols:
            print(start + payload(symbol), flush=True)
    if not isinstance(outcome, DecodeAnswer):
        complain(f"{plain(path)}: {outcome.detail}")


async def _outcomes(
    services: Services, paths: Sequence[str], query: DecodeQuery
) -> AsyncGenerator[tuple[str, Outcome], None]:
    """Results in the order of the paths. One file more than there are CPUs is in progress."""
    left = iter(paths)
    at_work = [(path, _start(services, path, query)) for path in islice(left, usable_cpus() + 1)]
    try:
        while at_work:
            path, task = at_work[0]
            outcome = await task
            del at_work[0]
            at_work += [(following, _start(services, following, query)) for following in islice(left, 1)]
            yield path, outcome
    finally:
        # The reader of the output may close the pipe early.
        for _, task in at_work:
            task.cancel()
        await asyncio.gather(*(task for _, task in at_work), return_exceptions=True)


def _start(services: Services, path: str, query: DecodeQuery) -> "asyncio.Task[Outcome]":
    return asyncio.create_task(_outcome(services, path, query))


async def _outcome(services: Services, path: str, query: DecodeQuery) -> Outcome:
    try:
        data = await services.in_thread(load, path, services.settings)
        return await read(Task.of(services, data), query)
    except (FileError, ServiceError) as error:
        return error


def payload(symbol: Symbol) -> str:
    """Payload as one line: text with control characters and backslashes escaped, or `hex:` and the bytes."""
    if symbol.text is None:
        return "hex:" + base64.b64decode(symbol.payload_base64).hex()
    return plain(symbol.text.replace("\\", "\\\\"))


def _line(path: str, outcome: Outcome) -> str:
    name = utf8(path)
    if isinstance(outcome, DecodeAnswer):
        return json.dumps({"file": name} | outcome.model_dump(mode="json"), ensure_ascii=False)
    error = {"code": outcome.code, "detail": outcome.detail}
    return json.dumps({"file": name, "error": error}, ensure_ascii=False)
