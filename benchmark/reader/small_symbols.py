"""How often are Micro QR and rMQR misread where they are looked for? `python -m benchmark.reader.small_symbols`.

The pictures hold none: they are blurred noise, and QR Codes reduced until hardly one of them can be read. Whatever is
read from the first, or from the second with another payload, is a misread.
"""

import argparse
from collections import Counter

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from service.decoding.zxing import KINDS, QR, read_zxing

SEED = 27
_SIDE = 96


def noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    """`(96, 96)` of light and dark patches of some pixels."""
    width = float(rng.uniform(0.6, 2.5))
    blurred = cv2.GaussianBlur(rng.standard_normal((_SIDE, _SIDE)).astype(np.float32), (0, 0), width)
    spread = float(rng.uniform(20, 400)) / float(blurred.std())
    return np.asarray(np.clip(128 + spread * blurred, 0, 255), np.uint8)


def reduced(rng: np.random.Generator) -> tuple[NDArray[np.uint8], bytes]:
    """A QR Code at 0.8 to 1.6 pixels a module with some noise, and its payload."""
    payload = bytes(rng.integers(48, 91, int(rng.integers(5, 60))).tolist())
    code = segno.make_qr(payload, error="L", boost_error=False)
    modules = np.pad(np.array([list(row) for row in code.matrix], np.uint8), 4)
    side = round(len(modules) * float(rng.uniform(0.8, 1.6)))
    large = np.kron(255 - 255 * modules, np.ones((8, 8), np.uint8)).astype(np.uint8)
    small = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    noisy = small + rng.normal(0, float(rng.uniform(0, 15)), small.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8), payload


def misreads(count: int, seed: int = SEED) -> Counter[str]:
    """Misreads among `count` pictures of each sort, by the kinds that were looked for."""
    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    for _ in range(count):
        pictures: list[tuple[NDArray[np.uint8], bytes | None]] = [(noise(rng), None), reduced(rng)]
        for picture, payload in pictures:
            for name, kinds in (("qr", QR), ("qr,micro_qr,rmqr", KINDS)):
                for reading in read_zxing(picture, "benchmark", kinds):
                    kind = reading.symbol.kind if reading.symbol else "qr"
                    found[f"{name}: {'right' if reading.payload == payload else 'misread as ' + kind}"] += 1
    return found


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="pictures of each sort")
    count = parser.parse_args().count
    print(f"{count} pictures of noise, {count} QR Codes at 0.8 to 1.6 pixels a module, seed {SEED}")
    for name, number in sorted(misreads(count).items()):
        print(f"{name}: {number}")


if __name__ == "__main__":
    main()
