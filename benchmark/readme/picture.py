"""The README's first picture: three hard crops, enlarged, with the readers that read each; tested while it is drawn."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from benchmark.comparison.options import chosen_upscalers, newest_generator
from benchmark.comparison.readers import SOFT, build_reader, wechat_files
from benchmark.comparison.upscalers import build_upscaler
from benchmark.comparison.workbench import Setup, Workbench
from benchmark.paths import STORE
from benchmark.readme.sample_crops import CROPS, Crop
from scoring.generator import Enlarged
from service.decoding.wechat import WeChatFiles

mpl.use("Agg")

from matplotlib import pyplot as plt

Image = NDArray[np.uint8]

DOCUMENTED = Path("docs/first-screen.png")
SHOWN = ("label", "screen", "badge")
"""Names of crops of `sample_crops`."""
_READERS = ("wechat", "zxing")
_NAMES = {"wechat": "WeChat", "zxing": "zxing-cpp", SOFT: "soft reader"}
_DPI = 100


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of one crop."""

    title: str
    image: Image
    read_by: tuple[str, ...]
    """Readers that give the crop's payload and nothing else."""


def panels(crop: Crop, bench: Workbench, files: WeChatFiles) -> list[Panel]:
    """The crop as it is and enlarged in three ways, with the readers of each."""
    lr = crop.render()
    height, width = lr.shape
    enlarged = build_upscaler(chosen_upscalers((), newest_generator(), [])[0])(lr)
    twice = wechat_enlarged(lr, files)
    bicubic = cv2.resize(lr, (4 * width, 4 * height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    shown = [
        ("the crop", lr, Enlarged(lr), _READERS),
        ("bicubic x4", bicubic, Enlarged(bicubic), _READERS),
        ("WeChat's own net x2", twice, Enlarged(twice), _READERS),
        ("ours x4", enlarged.shown, enlarged, (*_READERS, SOFT)),
    ]
    return [
        Panel(title, image, tuple(name for name in readers if _reads(name, picture, crop.payload, bench)))
        for title, image, picture, readers in shown
    ]


def wechat_enlarged(lr: Image, files: WeChatFiles) -> Image:
    """`(2h - 1, 2w - 1)`: a crop `(h, w)` enlarged by the super-resolution net of WeChat's detector."""
    net = cv2.dnn.readNetFromCaffe(str(files.sr_prototxt), str(files.sr_caffemodel))
    net.setInput(cv2.dnn.blobFromImage(lr, 1 / 255))
    enlarged: Image = np.clip(255 * net.forward()[0, 0], 0, 255).astype(np.uint8)
    return enlarged


def _reads(name: str, picture: Enlarged, payload: bytes, bench: Workbench) -> bool:
    if name == SOFT:
        return bench.soft(picture) == [payload]
    return build_reader(name, STORE / "wechat_qr" / "1")(picture.sr) == [payload]


def draw(path: Path) -> None:
    """Write the picture, PNG.

    Raises:
        ReaderUnavailableError: WeChat's nets are missing.
    """
    folder = STORE / "wechat_qr" / "1"
    files = wechat_files(folder)
    bench = Workbench(Setup((SOFT,), chosen_upscalers((), newest_generator(), []), folder))
    rows = [(crop, panels(crop, bench, files)) for name in SHOWN for crop in CROPS if crop.name == name]
    figure, axes = plt.subplots(len(rows), 4, figsize=(9.6, 2.6 * len(rows)), squeeze=False)
    for (crop, shown), line in zip(rows, axes, strict=True):
        for panel, place in zip(shown, line, strict=True):
            place.imshow(panel.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            place.set_xticks([])
            place.set_yticks([])
            readers = ", ".join(_NAMES[name] for name in panel.read_by)
            place.set_xlabel(
                f"read by {readers}" if readers else "read by none",
                fontsize=9,
                color="#0a7a33" if readers else "#b00020",
            )
            if crop.name == SHOWN[0]:
                place.set_title(panel.title, fontsize=11)
        line[0].set_ylabel(f"{crop.title}\n{crop.px_per_module:g} px a module", fontsize=9)
    figure.tight_layout(pad=0.4)
    save(figure, path, _DPI)


def save(figure: Any, path: Path, dpi: int) -> None:
    """Write a Matplotlib figure as a PNG with few colours, so that the page loads fast; closes the figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=dpi)
    plt.close(figure)
    with Pil.open(drawn) as picture:
        picture.convert("RGB").quantize(128, method=Pil.Quantize.FASTOCTREE, dither=Pil.Dither.NONE).save(
            path, optimize=True
        )
