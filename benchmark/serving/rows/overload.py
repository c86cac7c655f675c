"""Four times the capacity of the service, for a minute: accepted requests are served in time, others refused at
once."""

import asyncio
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import Answer, Call, Connection, Tally, closed_loop, open_loop
from benchmark.serving.process import serving
from benchmark.serving.results import neighbours
from service.settings import Settings

TIMES = 4


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """`/decode` of a mix and `/upscale` of crops in turn, at four times the measured capacity."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log") as service,
        neighbours() as others,
    ):
        calls = list(_mixed())
        usual = asyncio.run(_alone(service.port, calls))
        load = asyncio.run(closed_loop(service.port, corpus.forever(calls), clients=32, seconds=10 * scale))
        capacity = load.count / load.elapsed
        tally, recovered = asyncio.run(_storm(service.port, calls, TIMES * capacity, 60 * scale, usual))
        with service.client() as client:
            ready = client.get("/readyz").status_code
    accepted = tally.answers.get(200, [])
    # With a small scale there may be none.
    refused = tally.answers.get(429, []) + tally.answers.get(503, []) or [float("inf")]
    return {
        "capacity": capacity,
        "offered": TIMES * capacity,
        "seconds": 60 * scale,
        "statuses": tally.statuses(),
        "good_rate": len(accepted) / (60 * scale),
        "accepted_p50": statistics.median(accepted),
        "accepted_max": max(accepted),
        "deadline": Settings().deadline_s,
        "refused_p50": statistics.median(refused),
        "refused_p99": sorted(refused)[len(refused) * 99 // 100],
        "alone_p50": statistics.median(usual),
        "recovered_after": recovered,
        "wrong": tally.wrong[:10],
        "ready_afterwards": ready,
        "neighbours": others.share,
    }


def _mixed() -> Iterator[Call]:
    pairs = zip(corpus.decode_calls("mix", 32), corpus.upscale_calls("crop", 32), strict=True)
    for call in itertools.chain.from_iterable(pairs):
        yield Call(call.raw, _polite(call))


def _polite(call: Call) -> Any:
    """The judge under overload: the right answer, or a refusal with `Retry-After`."""

    def judge(answer: Answer) -> str | None:
        if answer.status in (429, 503):
            return None if b"retry-after" in answer.headers else f"{answer.status} without Retry-After"
        return None if answer.status == 504 else call.judge(answer)

    return judge


async def _alone(port: int, calls: list[Call]) -> list[float]:
    """Seconds of each call without any other request, the median of three."""
    connection = await Connection.to(port)
    taken = [[(await connection.send(call.raw)).seconds for call in calls] for _ in range(3)]
    connection.close()
    return [statistics.median(seconds) for seconds in zip(*taken, strict=True)]


async def _storm(
    port: int, calls: list[Call], rate: float, seconds: float, usual: list[float]
) -> tuple[Tally, float]:
    """The tally, and the seconds from the last request until ten in a row take at most twice their usual times, or a
    tenth of a second more."""
    storm = asyncio.create_task(
        open_loop(port, corpus.forever(calls), rate=rate, seconds=seconds, rng=random.Random(2))
    )
    await asyncio.sleep(seconds)
    ended, quick, since = time.perf_counter(), 0, 0.0
    connection = await Connection.to(port)
    turns = itertools.cycle(zip(calls, usual, strict=True))
    while quick < 10:
        call, seconds_alone = next(turns)
        answer = await connection.send(call.raw)
        if not connection.open:
            connection = await Connection.to(port)
        if answer.status == 200 and answer.seconds <= max(2 * seconds_alone, seconds_alone + 0.1):
            since = since or answer.sent
            quick += 1
        else:
            quick, since = 0, 0.0
            await asyncio.sleep(0.02)
    connection.close()
    return await storm, since - ended
