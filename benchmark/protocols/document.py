"""The figures of docs/benchmark.md, written from results."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.comparison import plots
from benchmark.comparison.results import Results
from benchmark.comparison.tables import arm_table
from benchmark.errors import BenchmarkError
from benchmark.figures.machine import described
from benchmark.figures.marks import fill
from benchmark.figures.tables import table
from benchmark.paths import RESULTS
from benchmark.protocols.attempts import attempts_report
from benchmark.protocols.latency import latency_report
from benchmark.protocols.paper import paper_report
from benchmark.protocols.photos import photo_bars, photos_report
from benchmark.protocols.speed import load_speed, pareto, speed_report
from benchmark.protocols.sweep import plotted, sweep_report
from benchmark.sets.paper import RECIPE


def write_report(out: Path, document: Path, results: Path = RESULTS / "protocols") -> None:
    """Copy the measurements in `out` to `results`, draw the pictures, and fill in the document's figures.

    Parts that were never measured stay unchanged.

    Raises:
        BenchmarkError: nothing has been measured, or the document has no place for it.
    """
    pictures = document.parent / document.stem
    for folder in (results, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    for name in _PARTS:
        source = out / f"{name}.json"
        if source.is_file():
            shutil.copyfile(source, results / source.name)
    measured = {name: results / f"{name}.json" for name in _PARTS if (results / f"{name}.json").is_file()}
    if not measured:
        raise BenchmarkError(f"{out} holds no results")
    fill(document, {name: _PARTS[name](path, pictures) for name, path in measured.items()})


def _part(
    command: str, environment: dict[str, Any], body: str, picture: tuple[str, str] | None = None
) -> str:
    shown = [f"![{picture[1]}](benchmark/{picture[0]}.png)"] if picture else []
    return "\n\n".join([f"```\n{command}\n```", *shown, body, _where(environment)])


def _paper(path: Path, pictures: Path) -> str:
    results = Results.load(path)
    plots.arms(results, "lr", pictures / "paper.png")
    recipe = {name: getattr(RECIPE, name) for name in RECIPE.__dataclass_fields__}
    rows = [[name, f"`{value}`"] for name, value in recipe.items()]
    body = paper_report(results) + "\n\n### Recipe\n\n" + table(["", "value"], rows)
    return _part(results.command, results.environment, body, ("paper", "Shares of the LR crops read"))


def _peers(path: Path, _: Path) -> str:
    results = Results.load(path)
    tables = [f"### {picture}, peers included\n\n{arm_table(results, picture)}" for picture in ("lr", "hr")]
    return _part(results.command, results.environment, "\n\n".join(tables))


def _sweep(path: Path, pictures: Path) -> str:
    results = Results.load(path)
    plots.sweep_curves(results, plotted(results), pictures / "sweep.png")
    return _part(
        results.command,
        results.environment,
        sweep_report(results, every_rate=False),
        ("sweep", "Share read against pixels per module"),
    )


def _photos(path: Path, pictures: Path) -> str:
    results = Results.load(path)
    plots.rate_bars(photo_bars(results), pictures / "photos.png", "share of the crops read")
    return _part(
        results.command,
        results.environment,
        photos_report(results),
        ("photos", "Shares of the photographs' crops read"),
    )


def _attempts(path: Path, _: Path) -> str:
    results = Results.load(path)
    return _part(results.command, results.environment, attempts_report(results))


def _latency(path: Path, _: Path) -> str:
    results = Results.load(path)
    return _part(results.command, results.environment, latency_report(results))


def _speed(path: Path, pictures: Path) -> str:
    speed = load_speed(path)
    pareto(speed, pictures / "speed.png")
    return _part(
        speed.command, speed.environment, speed_report(speed), ("speed", "Share read against milliseconds")
    )


_PARTS: dict[str, Callable[[Path, Path], str]] = {
    "paper": _paper,
    "peers": _peers,
    "sweep": _sweep,
    "photos": _photos,
    "attempts": _attempts,
    "attempts-photos": _attempts,
    "latency": _latency,
    "speed": _speed,
}
"""By protocol, the function that writes its part from the file of its results and the folder of the pictures."""


def _where(environment: dict[str, Any]) -> str:
    upscalers = ", ".join(f"{name}: {what}" for name, what in environment["upscalers"].items())
    missing = json.dumps(environment["missing"]) if environment["missing"] else "none"
    return (
        f"Measured on {described(environment)}. WeChat's nets: {environment['wechat_nets']}. "
        f"Upscalers: {upscalers or 'none'}. Readers left out: {missing}."
    )
