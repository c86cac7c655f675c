"""Commands behind the figures of docs/bulk.md and docs/cost.md."""

import argparse
from pathlib import Path
from typing import Any

from benchmark.scaling import bulk, capacity


def add_commands(commands: Any) -> None:
    """Add `capacity`, `bulk` and `crops` to the subparsers of `python -m benchmark`."""
    estimate = commands.add_parser(
        "capacity", help="what a number of GPUs, or none, would serve and cost, on paper"
    )
    capacity.add_arguments(estimate)
    estimate.set_defaults(run=capacity.run)
    throughput = commands.add_parser("bulk", help="files a second of a bulk run with one and with two CPUs")
    bulk.add_arguments(throughput)
    throughput.set_defaults(run=bulk.run)
    files = commands.add_parser("crops", help="write any number of crops as files, for bulk runs")
    files.add_argument("folder", type=Path)
    files.add_argument("count", type=int)
    files.add_argument("--hard", type=float, default=0.1, help="share that needs the generator (default 0.1)")
    files.set_defaults(run=_crops)


def _crops(options: argparse.Namespace) -> None:
    from benchmark.scaling import crops

    crops.write(options.folder, options.count, hard=options.hard)
