"""`python -m service read`: prints the payloads of files in their order; several files are processed at a time."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import ValidationError

from service.cli.arrivals import arrivals
from service.cli.command import complain, load, with_services
from service.cli.options import NOTHING, READ, UNUSABLE, ReadOptions
from service.cli.terminal import plain
from service.cli.web import fetched, is_url
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
        paths = _named(options) if options.watch is None else arrivals(options.watch)
        async with aclosing(paths), aclosing(_outcomes(services, paths, query)) as outcomes:
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
        several = options.watch is not None or len(options.files) + len(options.urls) > 1
        start = f"{plain(path)}: " if several else ""
        for symbol in outcome.symbols:
            print(start + payload(symbol), flush=True)
    if not isinstance(outcome, DecodeAnswer):
        complain(f"{plain(path)}: {outcome.detail}")


async def _named(options: ReadOptions) -> AsyncGenerator[list[str], None]:
    for source in (*options.files, *options.urls):
        yield [source]


async def _outcomes(
    services: Services, paths: AsyncGenerator[list[str], None], query: DecodeQuery
) -> AsyncGenerator[tuple[str, Outcome], None]:
    """In the order of the paths, with as many at work as there are CPUs and one more to come.

    Where `paths` has none for now, all that are at work are waited for.
    """
    at_work: list[tuple[str, asyncio.Task[Outcome]]] = []

    async def first() -> tuple[str, Outcome]:
        path, task = at_work[0]
        outcome = await task
        del at_work[0]
        return path, outcome

    try:
        async for some in paths:
            for path in some:
                at_work.append((path, _start(services, path, query)))
                if len(at_work) > usable_cpus() + 1:
                    yield await first()
            while not some and at_work:
                yield await first()
        while at_work:
            yield await first()
    finally:
        # The reader of the output may close the pipe early.
        for _, task in at_work:
            task.cancel()
        await asyncio.gather(*(task for _, task in at_work), return_exceptions=True)


def _start(services: Services, path: str, query: DecodeQuery) -> "asyncio.Task[Outcome]":
    return asyncio.create_task(_outcome(services, path, query))


async def _outcome(services: Services, path: str, query: DecodeQuery) -> Outcome:
    try:
        fetch = is_url(path)
        data = await services.in_thread(fetched if fetch else load, path, services.settings)
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
