"""The README's table of read rates, written from results."""

from collections.abc import Callable
from pathlib import Path

from benchmark.comparison.arms import NONE, WHOLE, Arm
from benchmark.comparison.readers import DECODE
from benchmark.comparison.results import Results
from benchmark.comparison.upscalers import OURS
from benchmark.figures.marks import fill
from benchmark.figures.tables import rate, table
from benchmark.protocols.photos import cell_rates

_ZXING, _WECHAT, _DECODE = (Arm("lr", NONE, reader) for reader in ("zxing", "wechat", DECODE))
_WHOLE = tuple(Arm(WHOLE, NONE, arm.reader) for arm in (_ZXING, _WECHAT, _DECODE))
_AFTER_BICUBIC = {"zxing": "zxing-cpp", "wechat": "WeChat"}
"""Readers after bicubic x4, of which a cell has the one that reads most, and their names."""
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
    total = int(paper.tried(_DECODE).sum())
    text = f"{total:,} symbols in crops of 128x128, JPEG quality 10 (the paper's protocol)"
    rows = [_row(text, paper, lambda arm: int(paper.read(arm).sum()) / int(paper.tried(arm).sum()))]
    cells = {arm: cell_rates(photos, arm) for arm in (_ZXING, _WECHAT, _DECODE, *_bicubic(photos))}
    for name, text in _CELLS.items():
        of_cell = {arm: cell[name][0] / cell[name][1] for arm, cell in cells.items()}
        rows.append(_row(text, photos, of_cell.__getitem__))
    shares = [int(photos.read(arm).sum()) / int(photos.tried(arm).sum()) for arm in _WHOLE]
    zxing, wechat, ours = map(rate, shares)
    rows.append(
        [f"{int(photos.tried(_WHOLE[-1]).sum())} photographs as they are", zxing, wechat, "", f"**{ours}**"]
    )
    head = ["read", "zxing-cpp alone", "WeChat alone", "bicubic x4, then the better of them", "`/decode`"]
    shown = (_ZXING, _WECHAT, _DECODE, *_bicubic(paper), *_bicubic(photos))
    wrong = sum(
        results.wrong(arm)
        for results in (paper, photos)
        for arm in dict.fromkeys(shown)
        if _has(results, arm)
    )
    whole = photos.wrong(_WHOLE[-1])
    misread = (
        f"Wrong payloads in the rows of crops: {wrong or 'none'}. On {whole} of the photographs as they are, `/decode` "
        "gives a payload that is not the one of the test set, alone or beside it."
    )
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
    return f"{table(head, rows)}\n\n{misread} {time.strip()}"


def write_rates(folder: Path, readme: Path) -> None:
    """Fill in the README's table.

    Raises:
        BenchmarkError: the README has no place for it.
    """
    fill(readme, {"rates": rates(folder)})


def _has(results: Results, arm: Arm) -> bool:
    return str(arm) in results.outcomes


def _bicubic(results: Results) -> list[Arm]:
    """The arms with bicubic interpolation that were measured."""
    arms = (Arm("lr", "bicubic", reader) for reader in _AFTER_BICUBIC)
    return [arm for arm in arms if _has(results, arm)]


def _row(text: str, results: Results, share: Callable[[Arm], float]) -> list[str]:
    best = max(_bicubic(results), key=share)
    after = f"{rate(share(best))} ({_AFTER_BICUBIC[best.reader]})"
    return [text, rate(share(_ZXING)), rate(share(_WECHAT)), after, f"**{rate(share(_DECODE))}**"]
