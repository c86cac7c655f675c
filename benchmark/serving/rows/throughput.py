"""Throughput over HTTP against the same pipeline called in process, in turns within one run."""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from benchmark.serving.load import corpus, wrk
from benchmark.serving.load.steadiness import Window, in_turns
from benchmark.serving.process import ServiceProcess, serving
from benchmark.serving.results import Neighbours, neighbours
from service.machine import settle
from service.pipeline.answers import UpscaleQuery
from service.pipeline.read_and_enlarge import enlarge, read
from service.pipeline.runtime import Services, Task, opened
from service.settings import Settings

CLIENTS = {1: 3, 8: 3, 64: 9}
"""Numbers of clients, and the rounds that have to count; more rounds where there is a floor."""
WORKLOADS = {
    "upscale": ("crop", "128x128 crops, PNG answers"),
    "decode, crops": ("dense", "128x128 crops, read only after enlarging"),
    "decode, mixed": ("mix", "tight crops, half read from the upload, half only after enlarging"),
    "decode, clear only": ("clear", "all read from the upload"),
}


class InProcess:
    """The pipeline without HTTP, on a separate event loop."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._stack = AsyncExitStack()
        self.done = 0
        """Uploads in the last call of `rate`."""
        self._services: Services = self._runner.run(self._stack.enter_async_context(opened(Settings())))
        settle()

    def rate(self, workload: str, *, callers: int, seconds: float) -> float:
        """Uploads a second of `callers`, each with one upload after the other."""
        kind, _ = WORKLOADS[workload]
        self.done = 0
        return self._runner.run(self._rate(corpus.uploads(kind), workload == "upscale", callers, seconds))

    async def _rate(
        self, uploads: tuple[corpus.Upload, ...], enlarging: bool, callers: int, seconds: float
    ) -> float:
        turns = itertools.cycle(uploads)
        started = time.perf_counter()

        async def caller() -> None:
            while time.perf_counter() - started < seconds:
                task = Task.of(self._services, next(turns).data)
                if enlarging:
                    await enlarge(task, UpscaleQuery())
                else:
                    answer = await read(task)
                    assert answer.symbols
                self.done += 1

        await asyncio.gather(*(caller() for _ in range(callers)))
        return self.done / (time.perf_counter() - started)

    def close(self) -> None:
        """End its decoder processes and threads."""
        self._runner.run(self._stack.aclose())
        self._runner.close()


@contextmanager
def side_by_side() -> Iterator[tuple[ServiceProcess, InProcess, Neighbours]]:
    """The service, the pipeline in process, and the load of the machine during the block."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(InProcess()) as inside,
        serving(Path(folder) / "log") as service,
        neighbours() as others,
    ):
        yield service, inside, others


def raw(workload: str) -> list[bytes]:
    """The requests of a workload."""
    kind, _ = WORKLOADS[workload]
    calls = corpus.upscale_calls(kind) if workload == "upscale" else corpus.decode_calls(kind)
    return [call.raw for call in calls]


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """All workloads with all numbers of clients."""
    seconds = max(4 * scale, 1)
    cells: list[dict[str, Any]] = []
    with side_by_side() as (service, inside, others):
        for workload, (clients, rounds) in itertools.product(WORKLOADS, CLIENTS.items()):
            http = partial(_http, service, workload, clients, seconds)
            in_process = partial(_in_process, inside, workload, clients, seconds)
            cells.append({"workload": workload, "clients": clients, **compared(http, in_process, rounds)})
            print(cells[-1], flush=True)
    return {"cells": cells, "window_s": seconds, "neighbours": others.share}


def compared(http: Window, in_process: Window, rounds: int) -> dict[str, Any]:
    """Both sides in turn; the ratio is the rate over HTTP divided by the other."""
    turns = in_turns(http, in_process, rounds)
    over_http = turns.first
    return {
        "http": statistics.median(one["rate"] for one in over_http),
        "in_process": statistics.median(one["rate"] for one in turns.second),
        "ratio": turns.ratio,
        "ratios": turns.counted,
        "unsteady": turns.unsteady,
        "p50": statistics.median(one["p50"] for one in over_http),
        "p99": statistics.median(one["p99"] for one in over_http),
        "broken": sum(one["broken"] for one in over_http),
    }


def _http(service: ServiceProcess, workload: str, clients: int, seconds: float) -> dict[str, float]:
    load = wrk.drive(service.port, raw(workload), clients=clients, seconds=seconds)
    return {"rate": load.rate, "p50": load.p50, "p99": load.p99, "broken": load.refused + load.broken}


def _in_process(inside: InProcess, workload: str, clients: int, seconds: float) -> dict[str, float]:
    return {"rate": inside.rate(workload, callers=clients, seconds=seconds)}
