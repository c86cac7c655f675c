"""Any number of crops as files: easy, hard and empty ones, and files that are no images.

`python -m benchmark crops FOLDER COUNT` writes them.
"""

from pathlib import Path

import cv2
import numpy as np

from benchmark.serving.images import encode, symbol

_IN_FOLDER = 500


def write(folder: Path, count: int, *, hard: float = 0.1, seed: int = 0) -> dict[str, str | None]:
    """Write `count` files below `folder`, some hundreds in each folder.

    Args:
        hard: share of symbols reduced to 1.1 to 1.4 pixels per module, blurred and compressed; the others have 3.

    Returns for each file, by its path relative to `folder`, its payload, empty if it has none, and None for a file that
    cannot be used.
    """
    rng = np.random.default_rng(seed)
    shown: dict[str, str | None] = {}
    for index in range(count):
        name = f"{index // _IN_FOLDER:04d}/{index:06d}"
        kind = rng.random()
        if kind < 0.01:
            name, data, payload = f"{name}.txt", b"no image", None
        elif kind < 0.02:
            name, data, payload = f"{name}.png", encode(symbol("CUT"))[:-40], None
        elif kind < 0.05:
            grey = rng.integers(90, 160, (40, 40), np.uint8)
            name, data, payload = f"{name}.png", encode(grey), ""
        else:
            payload = f"https://example.org/{seed}/{index}"
            is_hard = rng.random() < hard
            pixels = _crop(payload, rng, is_hard)
            name, data = f"{name}.jpg", encode(pixels, "JPEG", quality=50 if is_hard else 70)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        shown[name] = payload
    return shown


def _crop(payload: str, rng: np.random.Generator, hard: bool) -> np.ndarray:
    modules = symbol(payload, scale=1, border=3, error="m")
    large = np.kron(modules, np.ones((12, 12), np.uint8))
    pixels = rng.uniform(1.1, 1.4) if hard else 3.0
    side = round(modules.shape[0] * pixels)
    small = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 0.5 if hard else 0.6)
