"""The service under load, faults and hostile input: `python -m benchmark serving ROW...`, or `all`, or `report`.

Each row writes `benchmark/results/serving/ROW.json`; `report` writes `docs/performance.md` from them. Rows that measure
time need a machine that does nothing else; they record how much of it other programs used.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

ROWS = (
    "throughput",
    "cost",
    "frameworks",
    "tail",
    "overload",
    "shutdown",
    "leak",
    "kill",
    "crossing",
    "bombs",
    "slow",
    "fuzz_imaging",
    "fuzz_http",
    "fuzz_schema",
    "stages",
    "ceiling",
    "modes",
)


def add_commands(commands: Any) -> None:
    """Add `serving` to the subparsers of `python -m benchmark`."""
    parser = commands.add_parser(
        "serving", help="the service under load and faults: docs/performance.md", description=__doc__
    )
    parser.add_argument(
        "rows",
        nargs="+",
        choices=(*ROWS, "gpu", "all", "report"),
        metavar="ROW",
        help=", ".join((*ROWS, "gpu")),
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="factor on durations and counts; results are only written with 1",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the named rows and write their files. Returns the exit status: 1 if a row could not be measured."""
    from service.machine import tune

    # Before NumPy and OpenCV allocate much, so that the pipeline called in process has the same memory as the service.
    tune()
    from benchmark.serving import results

    # So that the servers end together with this program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed = False
    for name in ROWS if "all" in options.rows else [row for row in options.rows if row != "report"]:
        started = time.monotonic()
        try:
            figures = _row(name)(scale=options.scale)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
            continue
        print(f"{name}: {time.monotonic() - started:.0f} s", figures, flush=True)
        if options.scale == 1.0:
            results.save(name, f"python -m benchmark serving {name}", figures)
    if {"all", "report"} & set(options.rows):
        from benchmark.serving.document import write

        print(write())
    return 1 if failed else 0


def _row(name: str) -> Callable[..., dict[str, Any]]:
    """The row's function; imported when it runs, because each row needs other tools."""
    function: Callable[..., dict[str, Any]] = import_module(f"benchmark.serving.rows.{name}").run
    return function
