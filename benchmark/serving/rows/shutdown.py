"""SIGTERM under load: every request that the service has received is answered."""

import asyncio
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import Answer, Call, Connection
from benchmark.serving.process import ServiceProcess, serving

CLIENTS = 48
_MARGIN_S = 0.05
"""A request sent less than this before the signal may not have reached the service yet."""


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Ten services, each ended while 48 clients send requests."""
    rounds = [_one() for _ in range(max(round(10 * scale), 2))]
    return {
        "rounds": len(rounds),
        "clients": CLIENTS,
        "under_way": sum(one["under_way"] for one in rounds),
        "answered": sum(one["answered"] for one in rounds),
        "lost": sum(one["lost"] for one in rounds),
        "wrong": sum(one["wrong"] for one in rounds),
        "statuses": dict(sum((Counter(one["statuses"]) for one in rounds), Counter())),
        "exit_statuses": sorted({one["exit_status"] for one in rounds}),
        "longest_end_s": max(one["seconds"] for one in rounds),
    }


def _one() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        found = asyncio.run(_end_in_the_middle(service))
        found["exit_status"] = service.process.wait(60)
        found["seconds"] = time.perf_counter() - found.pop("at")
    print(found, flush=True)
    return found


async def _end_in_the_middle(service: ServiceProcess) -> dict[str, Any]:
    turns = corpus.forever(corpus.decode_calls("mix"))
    answers: list[tuple[Call, Answer]] = []

    async def client() -> None:
        connection = await Connection.to(service.port)
        while connection.open:
            call = next(turns)
            answers.append((call, await connection.send(call.raw)))

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    await asyncio.sleep(2)
    at = time.perf_counter()
    service.process.send_signal(signal.SIGTERM)
    await asyncio.gather(*clients)
    under_way = [
        (call, answer)
        for call, answer in answers
        if answer.sent < at - _MARGIN_S and answer.sent + answer.seconds > at
    ]
    got = [(call, answer) for call, answer in under_way if answer.status]
    return {
        "at": at,
        "under_way": len(under_way),
        "answered": len(got),
        "lost": len(under_way) - len(got),
        "wrong": sum(call.judge(answer) is not None for call, answer in got),
        "statuses": Counter(str(answer.status) for _, answer in under_way),
    }
