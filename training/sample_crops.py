"""The crops in docs/samples: hard to read, made by the benchmark's renderer, small enough to commit."""

from pathlib import Path

import cv2
import numpy as np
import segno

from training.evaluate.cases import picture
from training.evaluate.families import FAMILIES
from training.evaluate.symbols import Symbol

_CROPS = (
    ("label", "camera", 1.15, 4, "https://example.org/qr-super-resolution"),
    ("chat", "double-jpeg", 1.3, 5, "https://example.org/forwarded?by=a+messenger&twice=yes"),
    ("screen", "jpeg-10", 1.45, 3, "tel:+15550100"),
)
"""Name, family of degradation, LR pixels per module, QR version, payload."""
SEED = 0x5A4D


def make(folder: Path) -> list[Path]:
    """Write the crops as PNG files into `folder`; the same files on the same library versions."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, (name, family, px_per_module, version, payload) in enumerate(_CROPS):
        code = segno.make(payload, version=version, error="m", micro=False, boost_error=False)
        modules = np.array([list(row) for row in code.matrix], dtype=np.uint8)
        symbol = Symbol(payload.encode("ascii"), modules, version, "M")
        case = FAMILIES[family](np.random.default_rng([SEED, number]))
        path = folder / f"{name}.png"
        if not cv2.imwrite(str(path), picture(case, symbol, px_per_module, [SEED, number])):
            raise OSError(f"{path} could not be written")
        made.append(path)
    return made
