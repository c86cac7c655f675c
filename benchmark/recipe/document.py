"""Tables of docs/paper.md, made from the results and put between their marks."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark.figures.marks import fill
from benchmark.figures.tables import rate, table
from benchmark.recipe.ablation import Row
from benchmark.recipe.interpolation import Point
from training.errors import TrainingError

ABLATION, INTERPOLATION = "ablation", "interpolation"
"""Names of the results, and of the marks."""


def save(name: str, command: str, rows: Sequence[Row] | Sequence[Point], folder: Path) -> Path:
    """Write results as JSON, with the command that made them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"command": command, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    return path


def rendered(name: str, folder: Path) -> str:
    """The results `name` as Markdown.

    Raises:
        TrainingError: `folder` does not have them.
    """
    path = folder / f"{name}.json"
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: no results ({error})") from error
    rows = _ablation(data["rows"]) if name == ABLATION else _interpolation(data["rows"])
    return f"{rows}\n\n    {data['command']}"


def update(document: Path, folder: Path) -> None:
    """Put the tables of the results in `folder` into `document`.

    Raises:
        BenchmarkError: the document has no place for one.
        TrainingError: there are no results.
    """
    fill(document, {name: rendered(name, folder) for name in (ABLATION, INTERPOLATION)})


def _ablation(rows: Sequence[dict[str, Any]]) -> str:
    head = [
        "training", "steps", "seconds", "WeChat reads", "soft reader reads", "misread", "wrong modules", "PSNR", "SSIM",
    ]  # fmt: skip
    return table(
        head,
        [
            [row["name"], str(row["steps"]), f"{row['seconds']:.0f}", *_read(row), *_near(row)[:3]]
            for row in rows
        ],
    )


def _interpolation(rows: Sequence[dict[str, Any]]) -> str:
    head = ["alpha", "WeChat reads", "soft reader reads", "misread", "wrong modules", "PSNR", "SSIM", "NIQE"]
    return table(head, [[f"{row['alpha']:g}", *_read(row), *_near(row)] for row in rows])


def _read(row: dict[str, Any]) -> list[str]:
    reading = row["reading"]
    return [rate(reading["wechat"]), rate(reading["soft"]), str(reading["misread"])]


def _near(row: dict[str, Any]) -> list[str]:
    near = row["fidelity"]
    naturalness = "" if near["niqe"] is None else f"{near['niqe']:.1f}"
    return [rate(near["module_error"]), f"{near['psnr']:.2f}", rate(near["ssim"]), naturalness]
