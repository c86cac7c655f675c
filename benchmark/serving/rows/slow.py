"""Hundreds of clients that send a byte a second: no other client is refused, and they get a timeout."""

import asyncio
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import Tally, closed_loop
from benchmark.serving.process import serving
from service.settings import Settings

SLOW = 500
CLIENTS = 8
_BYTES_AT_FIRST = 400
"""Bytes of a request, including its head, that are sent at once, so that its body has begun."""


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """8 clients alone, then 8 clients beside 500 slow ones until these time out."""
    slow, alone_s = max(round(SLOW * scale), 10), max(10 * scale, 1.0)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        alone, beside, statuses = asyncio.run(_beside(service.port, slow, alone_s))
    return {
        "slow": slow,
        "slow_statuses": dict(statuses),
        "timeout_s": Settings().upload_timeout_s,
        "clients": CLIENTS,
        "alone_p50": statistics.median(alone.answers[200]),
        "beside_p50": statistics.median(beside.answers[200]),
        "statuses": beside.statuses(),
        "wrong": beside.wrong[:10],
    }


async def _beside(port: int, slow: int, alone_s: float) -> tuple[Tally, Tally, Counter[str]]:
    calls = corpus.forever(corpus.decode_calls("mix"))
    alone = await closed_loop(port, calls, clients=CLIENTS, seconds=alone_s)
    sending = [asyncio.create_task(_slow(port)) for _ in range(slow)]
    await asyncio.sleep(1.0)
    # Until shortly before the first of them times out.
    beside = await closed_loop(port, calls, clients=CLIENTS, seconds=Settings().upload_timeout_s - 3.0)
    assert not any(task.done() for task in sending), "the slow ones were not there all the time"
    return alone, beside, Counter(await asyncio.gather(*sending))


async def _slow(port: int) -> str:
    """Send a request, a byte a second, until there is an answer; returns its status or `lost`."""
    raw = corpus.decode_calls("clear", 1)[0].raw
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw[:_BYTES_AT_FIRST])
    answer = asyncio.create_task(reader.readline())
    for at in range(_BYTES_AT_FIRST, len(raw) - 1):
        if (await asyncio.wait({answer}, timeout=1.0))[0]:
            break
        writer.write(raw[at : at + 1])
    line = (await answer).split()
    writer.close()
    return line[1].decode() if len(line) > 1 else "lost"
