"""Figures of a row with their machine and command, as JSON under `benchmark/results/serving/`."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.figures.machine import machine
from benchmark.paths import RESULTS
from benchmark.serving.process import parents

FOLDER = RESULTS / "serving"
_SCHEMA = 1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Neighbours:
    """The load of the machine, by us and by others."""

    share: float = 0.0
    """Share of all processor time during the block that other programs, or other machines on the host, used."""
    busy: float = 0.0
    """Share of all processor time that was used by anything."""


@contextmanager
def neighbours() -> Iterator[Neighbours]:
    """Observe the load during the block, because a benchmark on a busy machine says little."""
    found, started, busy, own = Neighbours(), time.perf_counter(), _busy(), processor_seconds()
    yield found
    everything = (time.perf_counter() - started) * (os.cpu_count() or 1)
    used = _busy() - busy
    found.busy = used / everything
    found.share = max(0.0, used - (processor_seconds() - own)) / everything


def _busy() -> float:
    """Seconds of processor time since the machine's start: user, nice, system, interrupts, stolen."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in fields[:8])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def processor_seconds(pid: int | None = None) -> float:
    """Processor time so far of a process (this one), its descendants, and those of them that have ended."""
    families, ours = parents(), {pid or os.getpid()}
    while more := {pid for pid, parent in families.items() if parent in ours} - ours:
        ours |= more
    seconds = 0
    for one in ours:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended; its time now counts with its parent
            continue
        seconds += sum(int(field) for field in fields[11:15])
    return seconds / _TICKS


def save(row: str, command: str, figures: dict[str, Any]) -> Path:
    """Write a row's figures and return the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{row}.json"
    whole = {
        "schema": _SCHEMA,
        "row": row,
        "command": command,
        "machine": machine(),
        "figures": _short(figures),
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return path


def load(row: str) -> dict[str, Any] | None:
    """What `save` wrote, or None if the row was never measured."""
    path = FOLDER / f"{row}.json"
    if not path.is_file():
        return None
    whole: dict[str, Any] = json.loads(path.read_text())
    if whole.get("schema") != _SCHEMA:
        raise ValueError(f"{path}: not a result of this benchmark")
    return whole


def _short(value: Any) -> Any:
    """Floats to five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _short(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_short(entry) for entry in value]
    return value
