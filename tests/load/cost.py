"""Processor time of a request over HTTP, of the same in process, and of HTTP with nothing behind it: what neighbours on
the machine disturb least.

On a machine whose processors are all busy, throughput is the inverse of this.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.builders.process import serving_program
from tests.load import wrk
from tests.load.results import processor_seconds
from tests.load.throughput import WORKLOADS, raw, side_by_side

CLIENTS = 8


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Milliseconds, the decoder processes' and the load generator's own included; the best of three rounds in turn."""
    seconds, rounds = max(4 * scale, 1), 3
    found: dict[str, dict[str, list[float]]] = {
        workload: {"http": [], "in_process": [], "bare": []} for workload in WORKLOADS
    }

    def over_http(port: int, workload: str) -> float:
        before = processor_seconds()
        load = wrk.drive(port, raw(workload), clients=CLIENTS, seconds=seconds)
        return (processor_seconds() - before) / load.requests

    with (
        tempfile.TemporaryDirectory() as folder,
        serving_program([sys.executable, "-m", "tests.load.bare"], Path(folder) / "bare") as bare,
        side_by_side() as (service, inside, others),
    ):
        # What the first requests cost is nobody's price.
        for workload in WORKLOADS:
            inside.rate(workload, callers=CLIENTS, seconds=1)
            for port in (service.port, bare.port):
                wrk.drive(port, raw(workload), clients=CLIENTS, seconds=1)
        for _ in range(rounds):
            for workload, row in found.items():
                row["http"].append(over_http(service.port, workload))
                row["bare"].append(over_http(bare.port, workload))
                before = processor_seconds()
                inside.rate(workload, callers=CLIENTS, seconds=seconds)
                row["in_process"].append((processor_seconds() - before) / inside.done)
                print(workload, row, flush=True)
    rows = {
        workload: {
            "http_ms": 1e3 * min(row["http"]),
            "in_process_ms": 1e3 * min(row["in_process"]),
            "bare_ms": 1e3 * min(row["bare"]),
            "ratio": min(row["in_process"]) / min(row["http"]),
            "most": min(row["in_process"]) / (min(row["in_process"]) + min(row["bare"])),
        }
        for workload, row in found.items()
    }
    return {"rows": rows, "clients": CLIENTS, "rounds": rounds, "neighbours": others.share}
