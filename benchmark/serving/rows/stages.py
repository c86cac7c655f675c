"""Where the time of a request goes, from the service's `Server-Timing` and the client's clock."""

import asyncio
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import Call, Connection, closed_loop, form, request
from benchmark.serving.process import serving
from benchmark.serving.results import neighbours

REQUESTS = 60
_PART = re.compile(rb"(\w+);dur=([\d.]+)")


def workloads() -> dict[str, list[Call]]:
    """By name, the requests that are sent one after the other."""
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
    """Means over the faster half of 60 requests of each kind, from a single client."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log") as service,
        neighbours() as others,
    ):
        alike = iter(corpus.decode_calls("faint")[:41])
        first = asyncio.run(closed_loop(service.port, alike, clients=1)).answers[200]
        bars = asyncio.run(_bars(service.port, max(round(REQUESTS * scale), 6)))
    return {
        "milliseconds": bars,
        "requests": REQUESTS,
        "taken": f"mean of the faster half of {REQUESTS}, all kinds in turn",
        "first_ms": 1e3 * first[0],
        "median_ms": 1e3 * statistics.median(first[1:]),
        "ready_after_s": service.ready_after,
        "neighbours": others.share,
    }


async def _bars(port: int, count: int) -> dict[str, dict[str, float]]:
    """All kinds of requests in turn, so that a slow moment affects all of them."""
    connection = await Connection.to(port)
    kinds = workloads()
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
    for number in range(count):
        for name, calls in kinds.items():
            taken[name].append(await _parts(connection, calls[number % len(calls)]))
    connection.close()
    return {name: _mean_of_faster_half(parts) for name, parts in taken.items()}


async def _parts(connection: Connection, call: Call) -> dict[str, float]:
    started = time.perf_counter()
    answer = await connection.send(call.raw)
    whole = 1e3 * (time.perf_counter() - started)
    if (complaint := call.judge(answer)) is not None:
        raise RuntimeError(complaint)
    told = {name.decode(): float(ms) for name, ms in _PART.findall(answer.headers[b"server-timing"])}
    total = told.pop("total")
    # The rest of the service's time is routing, parsing of the query, JSON; the rest of the client's is the
    # socket, the parsing of HTTP and the event loop.
    told["application"] = total - sum(told.values())
    told["http"] = whole - total
    return told


def _mean_of_faster_half(taken: list[dict[str, float]]) -> dict[str, float]:
    """The mean, because its parts add up; of the faster half, because other programs slow the rest."""
    chosen = sorted(taken, key=lambda parts: sum(parts.values()))[: len(taken) // 2]
    return {name: sum(parts.get(name, 0.0) for parts in chosen) / len(chosen) for name in taken[0]}
