"""`docs/performance.md` and its picture, from the rows' files: `python -m benchmark serving report`."""

from pathlib import Path
from typing import Any

from benchmark.figures.machine import described
from benchmark.figures.marks import fill
from benchmark.figures.tables import table
from benchmark.paths import ROOT
from benchmark.serving import results
from benchmark.serving.stages_plot import plot
from benchmark.serving.tables import TABLES
from benchmark.serving.verdicts import verdicts

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "benchmark" / "serve" / "stages.png"
_NOT_MEASURED = "Not measured for this page."

_QUIET = 0.1
"""Share of the processor time used by others above which the page has a warning."""


def write(page: Path = PAGE, picture: Path = PICTURE) -> Path:
    """Fill in the page's figures and draw its picture; parts that were not measured say so."""
    measured = {
        row: render(found["figures"]) + _beside(found) if (found := results.load(row)) else _NOT_MEASURED
        for row, render in TABLES.items()
    }
    if stages := results.load("stages"):
        plot(stages["figures"]["milliseconds"], picture, stages["figures"]["taken"])
    fill(page, {"machine": _machine(), "floors": _verdicts(), **measured, "gpu": _gpu()})
    return page


def _gpu() -> str:
    found = results.load("gpu")
    if found is None:
        return "None of this was run for this page: no machine with a GPU was at hand."
    figures = found["figures"]
    rows = [
        [
            f"{row['side']}x{row['side']}",
            str(row["batch"]),
            f"{row['images_per_second_host']:.0f}",
            f"{row['images_per_second_device']:.0f}",
            f"{row['floor_by_operations_ms']:.2f}",
            f"{row['floor_by_bytes_ms']:.2f}",
            f"{100 * row['of_floor']:.0f} %",
        ]
        for row in figures["rows"]
    ]
    head = [
        "crops",
        "batch",
        "from the host, 1/s",
        "on the device, 1/s",
        "floor by operations, ms",
        "by bytes, ms",
        "of it",
    ]
    peak = (
        f"Peaks: {figures['tflops']:.1f} TFLOP/s in a matrix product, {figures['gb_per_second']:.0f} GB/s in an "
        "addition."
    )
    return f"{table(head, rows)}\n\n{peak}"


def _machine() -> str:
    found = [whole for row in TABLES if (whole := results.load(row)) is not None]
    if not found:
        return "Nothing has been measured yet."
    told = (
        f"Measured on {described(found[0]['machine'])}. The load generator runs on the same CPUs, so its processor "
        "time is missing from the service."
    )
    most = max(whole["figures"].get("neighbours", 0.0) for whole in found)
    if most > _QUIET:
        told += (
            f"\n\n**Not a quiet machine:** other programs had up to {100 * most:.0f} % of "
            "the processor time (said under each table). Rates are too low and times too long by that, and ratios of "
            "what took turns are noisy."
        )
    return told


def _verdicts() -> str:
    words = {True: "yes", False: "**no**", None: "-"}
    rows = [[line.what, line.floor, line.measured, words[line.met]] for line in verdicts()]
    return table(["what", "floor", "measured", "met"], rows, left=3)


def _beside(found: dict[str, Any]) -> str:
    """Remarks on a row: a note in its file, and the load of other programs on the machine."""
    told = [note] if (note := found.get("note")) else []
    if (share := found["figures"].get("neighbours")) is not None:
        told.append(
            f"Other programs, and other machines on the host, took {100 * share:.0f} % of the processor time."
        )
    return "".join(f"\n\n{line}" for line in told)
