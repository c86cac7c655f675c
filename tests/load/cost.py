"""Processor time of a request over HTTP and of the same in process: what neighbours on the machine disturb least.

On a machine whose processors are all busy, throughput is the inverse of this.
"""

from typing import Any

from tests.load import wrk
from tests.load.results import processor_seconds
from tests.load.throughput import WORKLOADS, raw, side_by_side

CLIENTS = 8


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Milliseconds, the decoder processes' and the load generator's own included; the best of three rounds in turn."""
    seconds, rounds = max(4 * scale, 1), 3
    found: dict[str, dict[str, list[float]]] = {}
    with side_by_side() as (service, inside, others):
        # What the first requests cost is nobody's price.
        for workload in WORKLOADS:
            inside.rate(workload, callers=CLIENTS, seconds=1)
            wrk.drive(service.port, raw(workload), clients=CLIENTS, seconds=1)
        for _ in range(rounds):
            for workload in WORKLOADS:
                row = found.setdefault(workload, {"http": [], "in_process": []})
                before = processor_seconds()
                load = wrk.drive(service.port, raw(workload), clients=CLIENTS, seconds=seconds)
                row["http"].append((processor_seconds() - before) / load.requests)
                before = processor_seconds()
                done = inside.rate(workload, callers=CLIENTS, seconds=seconds)
                row["in_process"].append((processor_seconds() - before) / inside.done)
                print(workload, load.rate, done, row, flush=True)
    rows = {
        workload: {
            "http_ms": 1e3 * min(row["http"]),
            "in_process_ms": 1e3 * min(row["in_process"]),
            "ratio": min(row["in_process"]) / min(row["http"]),
        }
        for workload, row in found.items()
    }
    return {"rows": rows, "clients": CLIENTS, "rounds": rounds, "neighbours": others.share}
