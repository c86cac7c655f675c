"""The qualitative grid: crops as they are and enlarged in every way of the document, with the readers of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.readers import SOFT, build_reader, wechat_files
from benchmark.comparison.upscalers import UpscalerSpec, build_upscaler
from benchmark.comparison.workbench import Setup, Workbench
from benchmark.readme.picture import save, wechat_enlarged
from scoring import degradations
from scoring.cases import picture
from scoring.families import FAMILIES
from scoring.generator import Enlarged
from scoring.scenes import Light
from scoring.symbols import draw_symbol

mpl.use("Agg")

from matplotlib import pyplot as plt

Image = NDArray[np.uint8]
_SEED = 0x6121D
_READERS = ("wechat", "zxing")
_NAMES = {"wechat": "WeChat", "zxing": "zxing-cpp", SOFT: "soft"}


@dataclass(frozen=True)
class Shown:
    """A row: a crop of the benchmark's renderer."""

    family: str
    px_per_module: float
    version: int
    draw: int


ROWS = (
    Shown("camera", 1.2, 2, 0),
    Shown("camera", 1.5, 4, 1),
    Shown("jpeg-10", 1.6, 3, 2),
    Shown("double-jpeg", 1.4, 3, 3),
)


@dataclass(frozen=True)
class Panel:
    """One picture of a row."""

    title: str
    image: Image
    read_by: tuple[str, ...]
    """Readers that give the symbol's payload and nothing else."""


def pair(shown: Shown) -> tuple[Image, Image, bytes]:
    """LR degraded by the family, HR four times as large without degradation, and the payload."""
    seed = [_SEED, shown.draw]
    rng = np.random.default_rng(seed)
    symbol = draw_symbol(shown.version, rng)
    case = FAMILIES[shown.family](rng)
    lr = picture(case, symbol, shown.px_per_module, seed)
    clean = replace(
        case,
        light=Light(),
        optics=lambda plane, _scale, _rng: plane,
        sensor=lambda plane, _rng: degradations.quantise(plane),
        sent_larger=None,
    )
    return lr, picture(clean, symbol, 4 * shown.px_per_module, seed), symbol.payload


def panels(shown: Shown, models: Mapping[str, Path], wechat: Path) -> list[Panel]:
    """LR, bicubic, WeChat's net, each of `models` (release folders or ONNX files by title), HR."""
    lr, hr, payload = pair(shown)
    files = wechat_files(wechat)
    four = (4 * lr.shape[1], 4 * lr.shape[0])
    made: list[tuple[str, Enlarged, Workbench | None]] = [
        ("LR", Enlarged(lr), None),
        ("bicubic x4", Enlarged(cv2.resize(lr, four, interpolation=cv2.INTER_CUBIC).astype(np.uint8)), None),
        ("WeChat's net x2", Enlarged(wechat_enlarged(lr, files)), None),
    ]
    for title, path in models.items():
        spec = UpscalerSpec.generator(path)
        made.append((title, build_upscaler(spec)(lr), Workbench(Setup((SOFT,), (spec,), wechat))))
    made.append(("HR", Enlarged(hr), None))
    return [
        Panel(title, enlarged.shown, _read_by(enlarged, bench, payload, wechat))
        for title, enlarged, bench in made
    ]


def _read_by(enlarged: Enlarged, bench: Workbench | None, payload: bytes, wechat: Path) -> tuple[str, ...]:
    found = [name for name in _READERS if build_reader(name, wechat)(enlarged.sr) == [payload]]
    if bench and bench.soft(enlarged) == [payload]:
        found.append(SOFT)
    return tuple(found)


def draw(models: Mapping[str, Path], wechat: Path, path: Path, rows: tuple[Shown, ...] = ROWS) -> None:
    """Write the grid, PNG.

    Raises:
        ReaderUnavailableError: WeChat's nets are missing.
    """
    table = [panels(shown, models, wechat) for shown in rows]
    figure, places = plt.subplots(
        len(rows), len(table[0]), figsize=(1.75 * len(table[0]), 2.05 * len(rows)), squeeze=False
    )
    for shown, row, line in zip(rows, table, places, strict=True):
        for panel, place in zip(row, line, strict=True):
            place.imshow(panel.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            place.set_xticks([])
            place.set_yticks([])
            readers = ", ".join(_NAMES[name] for name in panel.read_by)
            place.set_xlabel(readers or "read by none", fontsize=7, color="#0a7a33" if readers else "#b00020")
            if shown is rows[0]:
                place.set_title(panel.title, fontsize=9)
        line[0].set_ylabel(f"{shown.family}, {shown.px_per_module:g} px", fontsize=8)
    figure.tight_layout(pad=0.3)
    save(figure, path, dpi=90)
