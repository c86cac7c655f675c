"""Latency at 70 % and at half of capacity; requests arrive whether or not earlier ones are answered."""

import asyncio
import gc
import heapq
import random
import statistics
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import Call, Tally, closed_loop, open_loop, punctual
from benchmark.serving.load.steadiness import paced, steady
from benchmark.serving.process import serving
from benchmark.serving.results import neighbours
from service.machine import usable_cpus

SHARE, HALF = 0.7, 0.5
_OFFERS = (("even", HALF), ("even", SHARE), ("random", SHARE))
_ROUNDS = 5
_MOST_ROUNDS = 15
_WINDOW_S = 2
_REQUESTS = 2000
WORKLOADS = {
    "upscale, 128x128": corpus.upscale_calls,
    "decode, faint": corpus.decode_calls,
    "decode, clear": corpus.decode_calls,
}
_KINDS = {"upscale, 128x128": "crop", "decode, faint": "faint", "decode, clear": "clear"}


@dataclass
class Row:
    """Rounds of one workload with the same arrivals and the same share of capacity."""

    workload: str
    arrivals: str
    share: float
    counted: list[dict[str, Any]] = field(default_factory=list)
    """Rounds in which the speed of the machine stayed the same."""
    others: list[dict[str, Any]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether enough rounds count."""
        return len(self.counted) >= _ROUNDS

    def told(self) -> dict[str, Any]:
        """The counted round with the median ratio, and the ratios of all rounds."""
        rounds = sorted(self.counted or self.others, key=lambda one: one["ratio"])
        return {
            "workload": self.workload,
            "arrivals": self.arrivals,
            "share": self.share,
            "ideal": ideal_ratio(self.arrivals, self.share, usable_cpus()),
            **rounds[len(rounds) // 2],
            "ratios": sorted(one["ratio"] for one in self.counted),
            "unsteady": sorted(one["ratio"] for one in self.others),
            "refused": sum(one["refused"] for one in self.counted),
            "unsteady_refused": sum(one["refused"] for one in self.others),
            "wrong": sum(one["wrong"] for one in self.counted + self.others),
        }


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Even and random arrivals at 70 % of capacity and even ones at half of it.

    Capacity is the rate of 64 clients in closed loop, in a window before and one after each round. If these differ, or
    if the machine was slower or faster during the round, the offered share of capacity is unknown. The rows take turns,
    so that a slow minute of the machine does not fall on one row alone.
    """
    rows = {name: [Row(name, *offer) for offer in _OFFERS] for name in WORKLOADS}
    calls = {name: make(_KINDS[name]) for name, make in WORKLOADS.items()}
    # A garbage collection in the client would count against the service.
    gc.collect()
    gc.freeze()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log") as service,
        neighbours() as others,
    ):
        for name in WORKLOADS:
            _full(service.port, calls[name], seconds=_WINDOW_S * scale)
        for number in range(_MOST_ROUNDS):
            for name, of_it in rows.items():
                if wanting := [row for row in of_it if not row.done]:
                    _round_of_each(service.port, calls[name], wanting, number, scale=scale)
    return {
        "rows": [row.told() for of_it in rows.values() for row in of_it],
        "most_rounds": _MOST_ROUNDS,
        "neighbours": others.share,
    }


def _round_of_each(port: int, calls: list[Call], rows: list[Row], number: int, *, scale: float) -> None:
    """One more round of each row of a workload, with a closed-loop window before, between and after them."""
    before, pace_before = _full(port, calls, seconds=_WINDOW_S * scale)
    for row in rows:
        rate = row.share * before
        offered = open_loop(
            port,
            corpus.forever(calls),
            rate=rate,
            seconds=min(max(_REQUESTS / rate, 4), 10) * scale,
            rng=random.Random(number) if row.arrivals == "random" else None,
        )
        with neighbours() as machine, asyncio.Runner(loop_factory=punctual) as runner:
            tally, pace = runner.run(paced(offered))
        after, pace_after = _full(port, calls, seconds=_WINDOW_S * scale)
        one = {"capacity": before, "busy": machine.busy, **_figures(tally)}
        stayed = steady(before, after) and steady((pace_before + pace_after) / 2, pace)
        (row.counted if stayed else row.others).append(one)
        print(row.workload, row.arrivals, row.share, stayed, one, flush=True)
        before, pace_before = after, pace_after


def _full(port: int, calls: list[Call], *, seconds: float) -> tuple[float, float]:
    """Answers a second of 64 clients in closed loop, and the speed of the machine meanwhile."""
    tally, pace = asyncio.run(paced(closed_loop(port, corpus.forever(calls), clients=64, seconds=seconds)))
    return tally.count / tally.elapsed, pace


@cache
def ideal_ratio(arrivals: str, share: float, servers: int, count: int = 200_000) -> float:
    """p99 by median of an ideal service at a `share` of its capacity: `servers` workers, first come first served, with
    the same time for every request and no other cost (M/D/c of queueing theory, or D/D/c)."""
    rng = random.Random(0)
    free = [0.0] * servers
    gap = 1 / (share * servers)
    now, seconds = 0.0, []
    for _ in range(count):
        now += rng.expovariate(1 / gap) if arrivals == "random" else gap
        done = max(now, heapq.heappop(free)) + 1
        heapq.heappush(free, done)
        seconds.append(done - now)
    median, p99 = _median_and_p99(sorted(seconds))
    return p99 / median


def _median_and_p99(ascending: list[float]) -> tuple[float, float]:
    return statistics.median(ascending), ascending[len(ascending) * 99 // 100]


def _figures(tally: Tally) -> dict[str, Any]:
    seconds = sorted(tally.answers[200])
    refused = tally.count - len(seconds)
    median, p99 = _median_and_p99(seconds)
    return {
        "requests": tally.count,
        "p50": median,
        "p99": p99,
        "ratio": p99 / median,
        "max": seconds[-1],
        "refused": refused,
        # The judge complains about a refusal as well.
        "wrong": len(tally.wrong) - refused,
    }
