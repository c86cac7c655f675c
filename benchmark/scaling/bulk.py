"""Speed of a bulk run with one and with two CPUs, in one process and on Ray: `python -m benchmark bulk`.

Rounds alternate between the arms, so that other work on the machine affects all of them. Processor time per file does
not depend on it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmark.figures.tables import table
from benchmark.paths import ROOT
from benchmark.scaling import crops


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--files", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hard", type=float, default=1.0, help="share of crops that need the generator")
    parser.add_argument("--ray", metavar="ADDRESS", help="also measure workers of one CPU on this cluster")


def run(options: argparse.Namespace) -> None:
    """Print a line for each arm."""
    arms: dict[str, Callable[[Path], tuple[float, float]]] = {
        f"{count} CPU": partial(_timed, cpus=count) for count in (1, 2)
    }
    if options.ray:
        arms |= {
            f"{count} Ray worker": partial(
                _timed, more=("--ray", options.ray, "--workers", str(count), "--worker-cpus", "1")
            )
            for count in (1, 2)
        }
    found: dict[str, list[tuple[float, float]]] = {arm: [] for arm in arms}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crops.write(folder / "in", options.files, hard=options.hard)
        # Subtract the time of a run over a few files, so that the start is not measured.
        crops.write(folder / "few", 4, hard=0.0)
        for _ in range(options.rounds):
            for arm, run in arms.items():
                start, whole = run(folder / "few"), run(folder / "in")
                found[arm].append((whole[0] - start[0], whole[1] - start[1]))
    base = statistics.median(seconds for seconds, _ in found["1 CPU"])
    rows = []
    for arm, measured in found.items():
        seconds = statistics.median(wall for wall, _ in measured)
        processor = statistics.median(used for _, used in measured) / options.files * 1e3
        shown = "-" if "Ray" in arm else f"{processor:.1f}"
        rows.append([arm, f"{options.files / seconds:.1f}", f"{base / seconds:.2f}", shown])
    print(table(["arm", "files/s", "against 1 CPU", "processor ms a file"], rows))


def _timed(folder: Path, more: Sequence[str] = (), cpus: int = 2) -> tuple[float, float]:
    """Wall-clock and processor seconds of a run over a folder; for Ray's workers only wall-clock seconds."""
    result = folder.with_suffix(".parquet")
    result.unlink(missing_ok=True)
    usable = ",".join(map(str, sorted(os.sched_getaffinity(0))[:cpus]))
    command = [
        "taskset",
        "-c",
        usable,
        sys.executable,
        "-m",
        "service",
        "read",
        str(folder),
        "--out",
        str(result),
    ]
    settings = {"QRSR_DEVICE": "cpu", "QRSR_DECODERS": str(cpus)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--part", "16", *more], cwd=ROOT, env=os.environ | settings, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(process.pid, 0)
    if not result.exists():
        raise RuntimeError(f"no result of {' '.join(command)}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime
