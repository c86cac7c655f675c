"""The figures of docs/reader.md, written from results."""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.figures.marks import fill
from benchmark.figures.tables import rate, table
from benchmark.paths import RESULTS
from benchmark.protocols.misreads import Misreads, misreads_report
from benchmark.reader import plots as reader_plots
from benchmark.reader.decoding_tables import bound_part, channel_part, finite_field_part, prior_part

DOCUMENT = Path("docs/reader.md")
FILES = (
    *("coverage", "stages", "geometry", "speed", "calibration", "misreads"),
    *("channel", "bound", "prior", "finite-field"),
)
MORE_MISREADS = "misreads-*.json"
"""Runs of other seeds, which are added to that of seed 0."""


class Folders(NamedTuple):
    """Where a page finds what it shows."""

    results: Path
    pictures: Path


def write_reader_report(out: Path, document: Path = DOCUMENT, results: Path = RESULTS / "reader") -> None:
    """Take what has been measured in `out` over into `results`, draw, fill in.

    Parts that were never measured stay as they are.

    Raises:
        BenchmarkError: the document has no place for a part.
    """
    pictures = document.parent / "benchmark"
    for folder in (results, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    parts = {}
    for source in out.glob(MORE_MISREADS):
        shutil.copyfile(source, results / source.name)
    for name in FILES:
        source, kept = out / f"{name}.json", results / f"{name}.json"
        if source.is_file():
            shutil.copyfile(source, kept)
        if kept.is_file():
            parts[name] = _PARTS[name](json.loads(kept.read_text()), Folders(results, pictures))
    fill(document, parts)


def _coverage(data: dict[str, Any], _: Folders) -> str:
    clean, limit = data["clean"], data["limit"]
    symbols = sum(clean["symbols"].values())
    modes = ", ".join(f"{mode} {count}" for mode, count in clean["symbols"].items())
    read = limit["tried"] - len(limit["missed"]) - limit["wrong"]
    missed = [f"- clean, not read: {_kind_of_symbol(one)}, mask {one['mask']}" for one in clean["missed"]]
    missed += [
        f"- at the limit, not read: {_kind_of_symbol(one)}, {one['errors']} errors and {one['erasures']} erasures"
        for one in limit["missed"]
    ]
    return "\n\n".join(
        [
            _command(data),
            f"Clean: {symbols - len(clean['missed']):,} of {symbols:,} symbols read with their payload, version, level "
            f"and mask ({modes}). Errors and erasures to the limit of the code: {read} of {limit['tried']} read, "
            f"{limit['wrong']} wrong.",
            *(["\n".join(missed)] if missed else []),
        ]
    )


def _kind_of_symbol(one: dict[str, Any]) -> str:
    return f"{one['version']}-{one['level']}"


def _stages(data: dict[str, Any], folders: Folders) -> str:
    reader_plots.stages(data["rows"], folders.pictures / "reader-stages.png")
    rows, others = [], list(data["rows"][0]["others"])
    for row in data["rows"]:
        share = f"{row['read'] / row['true_grid']:.2f}" if row["true_grid"] else "-"
        count = row["symbols"]
        rows.append(
            [
                f"{_kind(row['kind'])}, {row['px']:g}",
                str(count),
                str(row["true_grid"]),
                str(row["read"]),
                share,
                _losses(row),
                str(row["wrong"]),
                *(rate(row["others"].get(name, 0) / count) for name in others),
            ]
        )
    head = [
        "degradation, px per module",
        "symbols",
        "true grid",
        "soft",
        "share",
        "lost in (gained)",
        "wrong",
        *others,
    ]
    errors = [
        [
            f"{_kind(row['kind'])}, {row['px']:g}",
            *([f"{value:.2f}" for value in row["grid_error"]] if row["grid_error"] else ["-", "-"]),
            *(_milliseconds(row, name) for name in ("find", "read", "not read")),
        ]
        for row in data["rows"]
    ]
    error_head = ["", "grid error, median", "95 %", "CPU ms: find", "read", "not read"]
    return "\n\n".join(
        [
            _command(data),
            f"Generator {data['generator']}.",
            table(head, rows),
            "![Read rate against pixels per module](benchmark/reader-stages.png)",
            table(error_head, errors),
        ]
    )


def _geometry(data: dict[str, Any], _: Folders) -> str:
    rows = [
        [
            f"{row['perspective']:g}, {row['bend']:g}",
            f"{row['true_grid']}/{row['symbols']}",
            str(row["read"]),
            _losses(row),
            str(row["wrong"]),
            " / ".join(f"{value:.2f}" for value in row["grid_error"]),
            *(_milliseconds(row, name) for name in ("find", "read", "not read")),
        ]
        for row in data["rows"]
    ]
    head = [
        "perspective, bend",
        "true grid",
        "read",
        "lost in (gained)",
        "wrong",
        "grid error, median / 95 %",
    ]
    return _command(data) + "\n\n" + table([*head, "CPU ms: find", "read", "not read"], rows)


def _speed(data: dict[str, Any], _: Folders) -> str:
    by = {(row["version"], row["illegible"]): row for row in data["rows"]}
    rows = []
    for version in dict.fromkeys(version for version, _ in by):
        legible, illegible = by[version, False], by[version, True]
        rows.append(
            [
                str(version),
                f"{legible['module_errors']:.3f}",
                f"{legible['read']}/{legible['symbols']}",
                f"{legible['median']:.0f}",
                f"{legible['p95']:.0f}",
                f"{illegible['median']:.0f}",
                f"{illegible['p95']:.0f}",
            ]
        )
    head = ["version", "modules wrong", "read", "ms, median", "95 %", "illegible: ms, median", "95 %"]
    return _command(data) + f"\n\n{data['environment']['processor']}.\n\n" + table(head, rows)


def _calibration(data: dict[str, Any], folders: Folders) -> str:
    modules = sum(row["modules"] for row in data["bins"])
    reader_plots.reliability(data["bins"], data["llr"], folders.pictures / "reliability.png")
    return "\n\n".join(
        [
            _command(data),
            f"Generator {data['generator']}; {modules:,} modules of legible symbols.",
            "![Reliability of the logits](benchmark/reliability.png)",
        ]
    )


def _misreads(data: dict[str, Any], folders: Folders) -> str:
    results = Misreads(**data)
    shares = [results.every]
    for path in sorted(folders.results.glob(MORE_MISREADS)):
        more = Misreads.load(path)
        results = results.with_other(more)
        shares.append(more.every)
    every = ", ".join(str(share) for share in shares)
    states = ", ".join(f"`{code}` {count:,}" for code, count in results.code.items())
    return "\n\n".join(
        [
            f"```\n{results.command}\n```",
            f"Generator {results.environment['upscalers']['ours']}; crops of {results.photographs} photographs among "
            f"the trials; the cascade reads one trial of so many: {every}. State of the reading code (its "
            f"fingerprint) and trials: {states}.",
            misreads_report(results),
        ]
    )


_PARTS: dict[str, Callable[[dict[str, Any], Folders], str]] = {
    "coverage": _coverage,
    "stages": _stages,
    "geometry": _geometry,
    "speed": _speed,
    "calibration": _calibration,
    "misreads": _misreads,
    "channel": lambda data, _: channel_part(data),
    "bound": lambda data, _: bound_part(data),
    "prior": lambda data, _: prior_part(data),
    "finite-field": lambda data, _: finite_field_part(data),
}


def _command(data: dict[str, Any]) -> str:
    return f"```\n{data['command']}\n```"


def _kind(name: str) -> str:
    return name.replace("jpeg-", "JPEG ")


def _losses(row: dict[str, Any]) -> str:
    lost = ", ".join(f"{stage} {count}" for stage, count in sorted(row["lost"].items())) or "none"
    return f"{lost} ({row['gained']})"


def _milliseconds(row: dict[str, Any], name: str) -> str:
    value = row["milliseconds"].get(name)
    return "-" if value is None else f"{value:.0f}"


def run(given: argparse.Namespace) -> None:
    """Write docs/reader.md anew."""
    write_reader_report(given.out, given.document)
    print(given.document)
