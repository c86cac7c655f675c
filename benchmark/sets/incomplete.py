"""QR symbols that a picture shows incompletely, or that were overwritten.

A symbol is incomplete if, in at least one block, more bits are missing or overwritten than the code has redundancy
(eight for each check codeword), plus two codewords for the terminator and padding that a full symbol may still have.
Several code words then agree with everything visible. No reader can know the payload, so any payload that it returns,
even the right one, is a guess. Symbols that miss less may be read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.sets.filled_symbols import filled_symbol
from service.decoding.soft import codewords
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import LEVELS, Level

Modules = NDArray[np.bool_]

_SPARE_BITS = 16
_TRIES = 40


@dataclass(frozen=True, slots=True)
class Whole:
    """A symbol filled with random text, and the block of every data module."""

    version: int
    level: Level
    modules: Modules
    payload: bytes
    blocks: NDArray[np.intp]
    """`(n, n)` number of the block, -1 on function patterns, format information and remainder bits."""

    def is_lost(self, hidden: Modules) -> bool:
        """Whether a picture without the modules `hidden` `(n, n)` leaves more than one payload possible."""
        structure = codewords.block_structure(self.version, self.level)
        missing = np.bincount(self.blocks[hidden & (self.blocks >= 0)], minlength=structure.blocks)
        return bool(missing.max() > 8 * structure.checks + _SPARE_BITS)


def draw_whole(versions: tuple[int, int], rng: np.random.Generator) -> Whole:
    """A full symbol of any level by segno; its version is in `versions`, both ends included."""
    version, level = int(rng.integers(versions[0], versions[1] + 1)), LEVELS[int(rng.integers(4))]
    modules, payload = filled_symbol(version, level, rng, 1.0, _mask(rng))
    return Whole(version, level, modules, payload, blocks_of(version, level))


def blocks_of(version: int, level: Level) -> NDArray[np.intp]:
    """`(n, n)`: the block of every data module, -1 elsewhere."""
    place = codewords.interleaving(version, level)
    owner = np.empty(int((place >= 0).sum()), dtype=np.intp)
    owner[place[place >= 0]] = np.nonzero(place >= 0)[0]
    order = layout.data_order(version)[: 8 * len(owner)]
    blocks = np.full((layout.size(version),) * 2, -1, dtype=np.intp)
    blocks[order[:, 0], order[:, 1]] = np.repeat(owner, 8)
    return blocks


def overwritten(whole: Whole, beyond: bool, rng: np.random.Generator) -> Modules | None:
    """The symbol's modules with a part overwritten, `beyond` the limit at which one payload is possible, or within it.

    The part is a rectangle or scattered modules. It is overwritten with one colour, random modules, or those of another
    symbol of the same size. None if no such part was drawn.
    """
    n = len(whole.modules)
    most, densest = (n, 1.0) if beyond else (n // 2, 0.2)
    for _ in range(_TRIES):
        hidden = np.zeros((n, n), dtype=bool)
        if rng.random() < 0.6:
            height, width = (int(value) for value in rng.integers(n // 8, most + 1, 2))
            row, column = int(rng.integers(0, n - height + 1)), int(rng.integers(0, n - width + 1))
            hidden[row : row + height, column : column + width] = True
        else:
            hidden = rng.random((n, n)) < rng.uniform(0.02, densest)
        if rng.random() < 0.8:
            # With intact function patterns a symbol is found more reliably.
            hidden &= whole.blocks >= 0
        if whole.is_lost(hidden) == beyond and hidden.any():
            return np.where(hidden, _cover(whole, hidden, rng), whole.modules)
    return None


def _cover(whole: Whole, hidden: Modules, rng: np.random.Generator) -> Modules:
    n = len(whole.modules)
    kind = rng.integers(3)
    if kind == 0:
        return np.full((n, n), rng.random() < 0.5)
    # The other symbol must not be readable either.
    if kind == 1 or not whole.is_lost(~hidden):
        return np.asarray(rng.random((n, n)) < 0.5)
    return filled_symbol(whole.version, whole.level, rng, 1.0, _mask(rng))[0]


def _mask(rng: np.random.Generator) -> int:
    return int(rng.integers(8))
