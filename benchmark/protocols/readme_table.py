"""The README's table of read rates, written from results."""

from collections.abc import Sequence
from pathlib import Path

from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.readers import DECODE
from benchmark.comparison.results import Results
from benchmark.comparison.upscalers import OURS
from benchmark.figures.marks import fill
from benchmark.figures.tables import rate, table
from benchmark.protocols.photos import cell_rates

_WECHAT, _BICUBIC, _DECODE = (
    Arm("lr", NONE, "wechat"),
    Arm("lr", "bicubic", "wechat"),
    Arm("lr", NONE, DECODE),
)
_ARMS = (_WECHAT, _BICUBIC, _DECODE)
_CELLS = {
    "1.4, 50": "photographs reduced to 1.4 pixels per module, JPEG 50",
    "1.2, 50": "to 1.2 pixels per module, JPEG 50",
    "1, 50": "to 1.0 pixel per module, JPEG 50",
    "2, 10": "to 2.0 pixels per module, JPEG 10",
    "1.6, 10": "to 1.6 pixels per module, JPEG 10",
}
"""The cells of the photographs in the table, and their names in the README."""


def rates(folder: Path) -> str:
    """Markdown from `paper.json` and `photos.json` in `folder`."""
    paper, photos = (Results.load(folder / f"{name}.json") for name in ("paper", "photos"))
    shares = [int(paper.read(arm).sum()) / int(paper.tried(arm).sum()) for arm in _ARMS]
    rows = [
        _row(
            f"{int(paper.tried(_DECODE).sum()):,} symbols in crops of 128x128, JPEG quality 10 "
            "(the paper's protocol)",
            shares,
        )
    ]
    cells = [cell_rates(photos, arm) for arm in _ARMS]
    for name, text in _CELLS.items():
        rows.append(_row(text, [read / tried for read, tried in (cell[name] for cell in cells)]))
    wrong = sum(results.wrong(arm) for results in (paper, photos) for arm in _ARMS)
    misread = "with no wrong payload in any cell" if wrong == 0 else f"with {wrong} wrong payloads"
    head = [f"read, {misread}", "WeChat alone", "bicubic x4, then WeChat", "`/decode`"]
    paper_with, photos_with = (
        results.environment["upscalers"][OURS].split()[0] for results in (paper, photos)
    )
    mixed = (
        ""
        if paper_with == photos_with
        else f"The first row is of {paper_with}, the others are of {photos_with}. "
    )
    milliseconds = photos.milliseconds[str(_DECODE)]["median"]
    time = f"Median processor time of `/decode` over all crops of photographs: {milliseconds:.0f} ms. {mixed}"
    return f"{table(head, rows)}\n\n{time.strip()}"


def write_rates(folder: Path, readme: Path) -> None:
    """Fill in the README's table.

    Raises:
        BenchmarkError: the README has no place for it.
    """
    fill(readme, {"rates": rates(folder)})


def _row(text: str, shares: Sequence[float]) -> list[str]:
    *others, ours = map(rate, shares)
    return [text, *others, f"**{ours}**"]
