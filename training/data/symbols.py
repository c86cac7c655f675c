"""A bank of valid QR symbols of every version, level, mask and mode, made by segno."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import segno
from numpy.typing import NDArray
from segno import consts
from segno.encoder import DataOverflowError
from tqdm import tqdm

from training.data.config import SymbolConfig

MAX_SIZE = 177
"""Modules along a side of version 40 (ISO/IEC 18004:2015, 5.3.1)."""

LEVELS = "LMQH"
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_URL_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_/?=&.ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODES = ("numeric", "alphanumeric", "url", "binary", "kanji")
_BITS_PER_CHARACTER = {"numeric": 10 / 3, "alphanumeric": 5.5, "url": 8.0, "binary": 8.0, "kanji": 13.0}


def size_of(version: int) -> int:
    """Modules along a side (ISO/IEC 18004:2015, 5.3.1)."""
    return 17 + 4 * version


@dataclass(frozen=True)
class SymbolBank:
    """Module matrices, packed.

    `bits` is `(count, ceil(MAX_SIZE**2 / 8)) uint8`, `version` is `(count,) int16`.
    """

    bits: NDArray[np.uint8]
    version: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.version)

    def modules(self, index: int) -> NDArray[np.uint8]:
        """The symbol's modules `(n, n) uint8`, 1 for dark, without quiet zone."""
        n = size_of(int(self.version[index]))
        return np.unpackbits(self.bits[index], count=n * n).reshape(n, n)


def _payload(mode: str, length: int, rng: np.random.Generator) -> str | bytes:
    if mode == "numeric":
        return "".join(rng.choice(list("0123456789"), length))
    if mode == "alphanumeric":
        # Start with a letter, so that the text is not numeric.
        return "A" + "".join(rng.choice(list(_ALPHANUMERIC), length - 1))
    if mode == "kanji":
        # Hiragana, because all its characters are in the Shift_JIS range of kanji mode.
        return "".join(chr(code) for code in rng.integers(0x3041, 0x3094, length))
    if mode == "binary":
        return rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    return ("https://" + "".join(rng.choice(list(_URL_CHARACTERS), length)))[:length]


def make_symbol(
    version: int, level: str, mask: int, mode: str, fill: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One symbol `(n, n) uint8`, 1 for dark; its data fill about the share `fill` of its capacity."""
    capacity = int(consts.SYMBOL_CAPACITY[version][consts.ERROR_MAPPING[level]])  # type: ignore[index]
    length = max(2, int(fill * (capacity - 24) / _BITS_PER_CHARACTER[mode]))
    while True:
        try:
            symbol = segno.make(
                _payload(mode, length, rng),
                version=version,
                error=level,
                mask=mask,
                micro=False,
                boost_error=False,
            )
        except DataOverflowError:
            length = length * 9 // 10
            continue
        return np.array([list(row) for row in symbol.matrix], dtype=np.uint8)


def _specifications(
    config: SymbolConfig, rng: np.random.Generator
) -> Iterator[tuple[int, str, int, str, float]]:
    low, high = config.versions
    versions = np.arange(low, high + 1)
    # People mostly print small versions; every version keeps some share.
    weights = np.where(versions <= 6, 8.0, np.where(versions <= 14, 3.0, 0.8))
    for _ in range(config.count):
        yield (
            int(rng.choice(versions, p=weights / weights.sum())),
            LEVELS[rng.integers(4)],
            int(rng.integers(8)),
            _MODES[rng.integers(len(_MODES))],
            float(rng.uniform(0.05, 1.0)),
        )


def build_bank(config: SymbolConfig, seed: int, cache: Path | None = None) -> SymbolBank:
    """Make the bank, or read an equal one from the folder `cache`.

    Payloads, levels, masks and modes follow from `seed` alone; two seeds share payloads only by chance.
    """
    key = hashlib.sha256(json.dumps([config.model_dump(), seed, segno.__version__, 1]).encode()).hexdigest()[
        :16
    ]
    path = cache / f"symbols-{key}.npz" if cache else None
    if path and path.is_file():
        with np.load(path) as stored:
            return SymbolBank(stored["bits"], stored["version"])
    rng = np.random.default_rng([seed, 0x51])
    bits = np.zeros((config.count, (MAX_SIZE * MAX_SIZE + 7) // 8), np.uint8)
    versions = np.zeros(config.count, np.int16)
    specifications = tqdm(_specifications(config, rng), "symbols", config.count, disable=config.count < 1000)
    for i, (version, level, mask, mode, fill) in enumerate(specifications):
        packed = np.packbits(make_symbol(version, level, mask, mode, fill, rng))
        bits[i, : len(packed)] = packed
        versions[i] = version
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(partial, bits=bits, version=versions)
        partial.rename(path)
    return SymbolBank(bits, versions)
