"""Processor time of a request over HTTP, of the same in process, and of HTTP with an empty application.

Other programs disturb it less than wall-clock time. If all processors are busy, throughput is its inverse.
"""

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmark.serving.load import wrk
from benchmark.serving.load.steadiness import in_turns
from benchmark.serving.process import serving_program
from benchmark.serving.results import processor_seconds
from benchmark.serving.rows.throughput import WORKLOADS, InProcess, raw, side_by_side

CLIENTS = 8
_ROUNDS = 5


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Milliseconds, including decoder processes and load generator; with windows as in `throughput`."""
    seconds = max(4 * scale, 1)
    rows = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving_program(
            [sys.executable, "-m", "benchmark.serving.peers.bare"], Path(folder) / "bare"
        ) as bare,
        side_by_side() as (service, inside, others),
    ):
        for workload in WORKLOADS:
            # The first requests cost more and do not count.
            for port in (service.port, bare.port):
                _over_http(port, workload, 1)
            _in_process(inside, workload, 1)
            alone = [_over_http(bare.port, workload, seconds) for _ in range(3)]
            turns = in_turns(
                partial(_over_http, service.port, workload, seconds),
                partial(_in_process, inside, workload, seconds),
                _ROUNDS,
            )
            http, in_process, nothing = (_milliseconds(side) for side in (turns.first, turns.second, alone))
            rows[workload] = {
                "http_ms": http,
                "in_process_ms": in_process,
                "bare_ms": nothing,
                "ratio": turns.ratio,
                "ratios": turns.counted,
                "unsteady": turns.unsteady,
                "most": in_process / (in_process + nothing),
            }
            print(workload, rows[workload], flush=True)
    return {"rows": rows, "clients": CLIENTS, "neighbours": others.share}


def _over_http(port: int, workload: str, seconds: float) -> dict[str, float]:
    """Requests per second of processor time."""
    before = processor_seconds()
    load = wrk.drive(port, raw(workload), clients=CLIENTS, seconds=seconds)
    return {"rate": load.requests / (processor_seconds() - before)}


def _in_process(inside: InProcess, workload: str, seconds: float) -> dict[str, float]:
    before = processor_seconds()
    inside.rate(workload, callers=CLIENTS, seconds=seconds)
    return {"rate": inside.done / (processor_seconds() - before)}


def _milliseconds(windows: list[dict[str, float]]) -> float:
    return 1e3 / statistics.median(one["rate"] for one in windows)
