"""The crops of the README and the playground: hard to read, drawn by the benchmark's renderer, small enough to
commit."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from benchmark.comparison.options import chosen_upscalers, newest_generator
from benchmark.comparison.upscalers import build_upscaler
from benchmark.errors import BenchmarkError
from benchmark.paths import STORE
from benchmark.readme import rivals
from scoring.cases import picture
from scoring.families import FAMILIES
from scoring.symbols import Symbol

DOCUMENTED = Path("docs/samples")
"""Folder of the README's crops."""
SERVED = Path("service/server/static/samples")
"""Folder of the playground's crops, which include those of the README, and their `index.json`."""
SEED = 0x5A4D
WECHAT = STORE / "wechat_qr" / "1"
LABEL_ON_POSTER = (690, 700, 80)
"""Top, left and side of the label on the poster, in pixels of it."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop: its symbol and its degradation."""

    name: str
    family: str
    """Family of degradation."""
    px_per_module: float
    """In the crop."""
    version: int
    payload: bytes
    draw: tuple[int, ...]
    """Number of the draw in the family, chosen among a few so that other readers do not read it."""
    title: str
    note: str
    documented: bool = False

    def render(self) -> NDArray[np.uint8]:
        """The crop `(h, w) uint8`."""
        text = self.payload.isascii()
        code = segno.make(
            self.payload.decode("ascii") if text else self.payload,
            version=self.version,
            error="m",
            mode=None if text else "byte",
            micro=False,
            boost_error=False,
        )
        modules = np.array([list(row) for row in code.matrix], dtype=np.uint8)
        symbol = Symbol(self.payload, modules, self.version, "M")
        case = FAMILIES[self.family](np.random.default_rng([SEED, *self.draw]))
        return picture(case, symbol, self.px_per_module, [SEED, *self.draw])


CROPS = (
    Crop("label", "camera", 1.15, 4, b"https://example.org/qr-super-resolution", (0,),
         "Label from afar", "1.15 pixels a module, blur and noise", True),
    Crop("chat", "double-jpeg", 1.3, 5, b"https://example.org/forwarded?by=a+messenger&twice=yes", (1, 102),
         "Forwarded twice", "A messenger's two JPEGs", True),
    Crop("screen", "jpeg-10", 1.45, 3, b"tel:+15550100", (2,),
         "JPEG quality 10", "The codec alone did this", True),
    Crop("bottle", "curved", 1.4, 3, b"WIFI:T:WPA;S:Guest;P:harvest moon;;", (3, 1),
         "Round a bottle", "The symbol bends away"),
    Crop("night", "low-light", 1.7, 3, b"https://example.org/parking/7", (4, 103),
         "At night", "Hardly any photons"),
    Crop("bus", "motion", 1.3, 4, b"https://example.org/timetable?stop=0042&line=7", (5, 106),
         "Passing bus", "Blurred along its way"),
    Crop("badge", "perspective", 1.35, 4, b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada Example\nTEL:+15550123\nEND:VCARD", (7, 0),
         "Badge, aslant", "Steep perspective"),
    Crop("token", "perspective", 1.35, 3, bytes.fromhex("8f3ac1007e55d2019c44ab00f1e7"), (7, 101),
         "Binary token", "Bytes that are no text"),
)  # fmt: skip


def make(documented: Path = DOCUMENTED, served: Path = SERVED) -> list[Path]:
    """Write the crops as PNG files, and show each to every reader of others; the same library versions give the same
    files.

    Raises:
        BenchmarkError: a reader of others is missing here, or reads a crop: then it is none to show.
    """
    made = []
    index = []
    for crop in CROPS:
        path = served / f"{crop.name}.png"
        _write(path, crop.render(), [])
        made.append(path)
        if crop.documented:
            documented.mkdir(parents=True, exist_ok=True)
            made.append(Path(shutil.copyfile(path, documented / path.name)))
        others = _tried(crop.name, crop.render())
        index.append({"file": path.name, "title": crop.title, "note": crop.note, "others": others})
    path = served / "poster.jpg"
    _write(path, poster(), [cv2.IMWRITE_JPEG_QUALITY, 70])
    made.append(path)
    seen = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    top, left, side = LABEL_ON_POSTER
    # The page shows the whole of it, of which nothing is said; only the label in it has been tried.
    _tried("poster", np.asarray(seen, np.uint8)[top : top + side, left : left + side])
    index.append({"file": path.name, "title": "A whole photo", "note": "Select the code in it"})
    path = served / "index.json"
    path.write_text(json.dumps(index, indent=1) + "\n")
    return [*made, path, *_before_and_after(served.parent / "hero")]


def _before_and_after(folder: Path) -> list[Path]:
    """The page's first picture: a crop, and what the served generator makes of it."""
    before, after = folder / "before.png", folder / "after.png"
    image = CROPS[0].render()
    _write(before, image, [])
    _write(after, build_upscaler(chosen_upscalers((), newest_generator(), [])[0])(image).sr, [])
    return [before, after]


def _tried(name: str, image: NDArray[np.uint8]) -> dict[str, Any]:
    """What the page says of the readers of others: their names, and the number of pictures that none of them read."""
    used = rivals.readers(WECHAT)
    if missing := set(rivals.NAMES) - set(used):
        raise BenchmarkError(f"{', '.join(sorted(missing))} must be there to say that they do not read it")
    for success in rivals.successes(image, WECHAT):
        raise BenchmarkError(f"{name} is read by {success}; choose another draw")
    return {
        "readers": ["zxing-cpp", "WeChat", "OpenCV", "ZBar"],
        "pictures": sum(1 for _ in rivals.resized(image)),
    }


def poster(width: int = 1280, height: int = 960) -> NDArray[np.uint8]:
    """A notice on a wall with a small label on it, `(height, width, 3) uint8`, BGR."""
    rng = np.random.default_rng([SEED, 100])
    rough = rng.normal(0, 1, (height // 8, width // 8)).astype(np.float32)
    wall = 118 + 9 * cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    scene = np.stack([wall * 0.92, wall * 0.97, wall], axis=2)
    paper = np.full((1240, 900, 3), (228, 238, 242), np.float32)
    ink, red = (58, 44, 40), (60, 62, 190)
    cv2.rectangle(paper, (0, 0), (900, 250), red, -1)
    cv2.putText(
        paper, "FLEA MARKET", (60, 165), cv2.FONT_HERSHEY_DUPLEX, 3.3, (245, 245, 245), 9, cv2.LINE_AA
    )
    lines = (
        "Saturday, 10 to 16 o'clock",
        "Old fire station, yard",
        "Bring what you do",
        "not need any more.",
    )
    for row, text in enumerate(lines):
        cv2.putText(paper, text, (70, 380 + 95 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.75, ink, 4, cv2.LINE_AA)
    cv2.line(paper, (70, 760), (830, 760), ink, 3)
    cv2.putText(paper, "Book a table:", (70, 860), cv2.FONT_HERSHEY_SIMPLEX, 1.75, ink, 4, cv2.LINE_AA)
    corners = np.array([[0, 0], [900, 0], [900, 1240], [0, 1240]], np.float32)
    seen = np.array([[395, 60], [905, 96], [872, 838], [352, 812]], np.float32)
    turn = cv2.getPerspectiveTransform(corners, seen)
    # Draw twice as large and reduce, or the letters would be jagged.
    twice = np.diag([2.0, 2.0, 1.0]) @ turn
    large = cv2.warpPerspective(paper, twice, (2 * width, 2 * height), flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.ones(paper.shape[:2], np.float32), twice, (2 * width, 2 * height))
    large, cover = (
        cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) for part in (large, cover)
    )
    shade = np.linspace(1.04, 0.8, width, dtype=np.float32)[None, :, None]
    scene = (scene * (1 - cover[..., None]) + large) * shade
    label = Crop("", "camera", 1.25, 4, b"https://example.org/flea-market?table=12", (8, 1), "", "").render()
    top, left, _ = LABEL_ON_POSTER
    scene[top : top + label.shape[0], left : left + label.shape[1]] = label[..., None]
    noisy = scene + rng.normal(0, 2.2, scene.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _write(path: Path, pixels: NDArray[np.uint8], options: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), pixels, options):
        raise OSError(f"{path} could not be written")
