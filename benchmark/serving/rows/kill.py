"""kill -9 of a decoder child every second for a minute: no request is lost, no answer is wrong."""

import asyncio
import itertools
import os
import random
import signal
import tempfile
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import closed_loop
from benchmark.serving.process import ServiceProcess, serving

CLIENTS = 8


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Eight clients that check every payload."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        # The expected readings are those without kills.
        calls = corpus.decode_calls("mix")
        peace = asyncio.run(closed_loop(service.port, iter(calls), clients=2))
        tally, killed = asyncio.run(_minute(service, 60 * scale))
        with service.client() as client:
            decoder = client.get("/readyz").json()["decoder"]
    return {
        "seconds": 60 * scale,
        "wrong_in_peace": len(peace.wrong),
        "requests": tally.count,
        "statuses": tally.statuses(),
        "killed": killed,
        "wrong": tally.wrong[:10],
        "longest": max(second for found in tally.answers.values() for second in found),
        "decoder": decoder,
    }


async def _minute(service: ServiceProcess, seconds: float) -> tuple[Any, int]:
    killed = 0

    async def killer() -> None:
        nonlocal killed
        for _ in itertools.count():
            await asyncio.sleep(1)
            children = service.children()
            if children:
                os.kill(random.choice(children), signal.SIGKILL)
                killed += 1

    killing = asyncio.create_task(killer())
    calls = corpus.forever(corpus.decode_calls("mix"))
    tally = await closed_loop(service.port, calls, clients=CLIENTS, seconds=seconds)
    killing.cancel()
    return tally, killed
