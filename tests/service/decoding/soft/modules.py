"""Symbols as modules and as soft bits, from encoders that share nothing with the decoder."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

from service.decoding.soft import codewords
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import Level

SURE = 6.0
"""Nats of a module that is seen clearly: one in four hundred is wrong."""

LATIN = "abcdefghijklmnopqrstuvwxyz:/.?=&-_ ABCDEFG"


def segno_modules(content: Any, **options: Any) -> NDArray[np.bool_]:
    """`(n, n)` dark modules as segno draws them."""
    symbol = segno.make(content, boost_error=False, micro=False, **options)
    return np.array([list(row) for row in symbol.matrix_iter(border=0)], dtype=bool)


def zxing_modules(content: str | bytes, **options: Any) -> NDArray[np.bool_]:
    """`(n, n)` dark modules as zxing-cpp's writer draws them."""
    barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, **options)
    picture = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    return np.array(picture) < 128


def clear(dark: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Soft bits of modules seen clearly."""
    return np.where(dark, SURE, -SURE).astype(np.float32)


def version_of(dark: NDArray[np.bool_]) -> int:
    return layout.version_of_size(len(dark))


def text(rng: np.random.Generator, length: int) -> str:
    return "".join(rng.choice(list(LATIN), length))


def noisy(dark: NDArray[np.bool_], error_rate: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Calibrated soft bits after additive white Gaussian noise that turns this share of the modules."""
    amplitude = -NormalDist().inv_cdf(error_rate)
    received = np.where(dark, amplitude, -amplitude) + rng.normal(size=dark.shape)
    return (2 * amplitude * received).astype(np.float32)


def codeword_modules(version: int, level: Level) -> list[list[NDArray[np.intp]]]:
    """For every block and each of its codewords the `(8, 2)` rows and columns of its modules."""
    order = layout.data_order(version)
    return [
        [order[8 * place : 8 * place + 8] for place in row if place >= 0]
        for row in codewords.interleaving(version, level).tolist()
    ]


def bits_of(fields: Sequence[tuple[int, int]]) -> bytes:
    """Data codewords of a hand-written bit stream: (value, bits) each, filled up with zero bits."""
    stream = "".join(f"{value:0{count}b}" for value, count in fields)
    stream += "0" * (-len(stream) % 8)
    return int(stream, 2).to_bytes(len(stream) // 8)
