"""Where a request's time goes, by the service's own account (`Server-Timing`) and the client's clock."""

import asyncio
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.builders.process import serving
from tests.load import corpus
from tests.load.client import Call, Connection, closed_loop, form, request
from tests.load.results import neighbours

REQUESTS = 60
_PART = re.compile(rb"(\w+);dur=([\d.]+)")


def workloads() -> dict[str, list[Call]]:
    """A name, and requests that are sent one after the other."""
    crops = [form(upload.data) for upload in corpus.uploads("crop")]
    enlarging = {
        f"/upscale 128x128, {kind}": [
            Call(request(f"/upscale?format={kind}", body), corpus.accepted) for body in crops
        ]
        for kind in ("png", "jpeg", "webp")
    }
    return {
        "/decode, read from the upload": corpus.decode_calls("clear"),
        "/decode, read after enlarging": corpus.decode_calls("faint"),
        **enlarging,
    }


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Means over 60 requests of a single client: the parts of a mean add up, those of a median do not."""
    bars: dict[str, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log") as service,
        neighbours() as others,
    ):
        alike = iter(corpus.decode_calls("faint")[:41])
        first = asyncio.run(closed_loop(service.port, alike, clients=1)).answers[200]
        for name, calls in workloads().items():
            bars[name] = asyncio.run(_bar(service.port, calls, max(round(REQUESTS * scale), 5)))
            print(name, bars[name], flush=True)
    return {
        "milliseconds": bars,
        "requests": REQUESTS,
        "first_ms": 1e3 * first[0],
        "median_ms": 1e3 * statistics.median(first[1:]),
        "ready_after_s": service.ready_after,
        "neighbours": others.share,
    }


async def _bar(port: int, calls: list[Call], count: int) -> dict[str, float]:
    connection = await Connection.to(port)
    turns = corpus.forever(calls)
    parts: dict[str, list[float]] = {}
    for number in range(count + 5):
        call = next(turns)
        started = time.perf_counter()
        answer = await connection.send(call.raw)
        whole = 1e3 * (time.perf_counter() - started)
        assert call.judge(answer) is None, call.judge(answer)
        if number < 5:
            continue
        told = {name.decode(): float(ms) for name, ms in _PART.findall(answer.headers[b"server-timing"])}
        total = told.pop("total")
        # The rest of the service's time is routing, parsing of the query, JSON; the rest of the client's is the
        # socket, the parsing of HTTP and the event loop.
        told["application"] = total - sum(told.values())
        told["http"] = whole - total
        for name, value in told.items():
            parts.setdefault(name, []).append(value)
    connection.close()
    return {name: sum(values) / count for name, values in parts.items()}
