"""From modules to the blocks of codewords that Reed–Solomon works on, and back.

Clauses: ISO/IEC 18004:2015. A block is a shortened Reed–Solomon code word, data codewords first; the blocks
of one symbol differ in length by at most one codeword. All of them fit one array if the shorter ones start with an
absent codeword.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import symbol_layout as layout

Level = Literal["L", "M", "Q", "H"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

# Table 9, columns "number of error correction codewords" (here per block) and "number of error correction
# blocks", versions 1 to 40. All else in that table follows from these two and from the number of modules.
_CHECKS_PER_BLOCK: Final[dict[Level, str]] = {
    "L": "7 10 15 20 26 18 20 24 30 18 20 24 26 30 22 24 28 30 28 28"
    " 28 28 30 30 26 28 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
    "M": "10 16 26 18 24 16 18 22 22 26 30 22 22 24 24 28 28 26 26 26"
    " 26 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28",
    "Q": "13 22 18 26 18 24 18 22 20 24 28 26 24 20 30 24 28 28 26 30"
    " 28 30 30 30 30 28 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
    "H": "17 28 22 16 22 28 26 26 24 28 24 28 22 24 24 30 28 28 26 28"
    " 30 24 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
}
_BLOCKS: Final[dict[Level, str]] = {
    "L": "1 1 1 1 1 2 2 2 2 4 4 4 4 4 6 6 6 6 7 8 8 9 9 10 12 12 12 13 14 15 16 17 18 19 19 20 21 22 24 25",
    "M": "1 1 1 2 2 4 4 4 5 5 5 8 9 9 10 10 11 13 14 16"
    " 17 17 18 20 21 23 25 26 28 29 31 33 35 37 38 40 43 45 47 49",
    "Q": "1 1 2 2 4 4 6 6 8 8 8 10 12 16 12 17 16 18 21 20"
    " 23 23 25 27 29 34 34 35 38 40 43 45 48 51 53 56 59 62 65 68",
    "H": "1 1 2 4 4 4 5 6 8 8 11 11 16 16 18 16 19 21 25 25"
    " 25 34 30 32 35 37 40 42 45 48 51 54 57 60 63 66 70 74 77 81",
}


@dataclass(frozen=True, slots=True)
class BlockStructure:
    """How the codewords of one version and level fall into blocks (clause 7.5.1, table 9)."""

    blocks: int
    """Number of blocks; the short ones come first."""
    short_blocks: int
    """How many of them are one data codeword shorter than the rest; 0 if all have the same length."""
    length: int
    """Codewords in a long block, n of its code."""
    checks: int
    """Error correction codewords in every block, n - k of its code."""

    @property
    def data_lengths(self) -> NDArray[np.intp]:
        """`(blocks,)` data codewords of each block."""
        lengths = np.full(self.blocks, self.length - self.checks, dtype=np.intp)
        lengths[: self.short_blocks] -= 1
        return lengths

    @property
    def data_codewords(self) -> int:
        """Data codewords of the whole symbol."""
        return self.blocks * (self.length - self.checks) - self.short_blocks


@lru_cache(maxsize=160)
def block_structure(version: int, level: Level) -> BlockStructure:
    """The blocks of a symbol. Raises ValueError for a version that does not exist."""
    total = len(layout.data_order(version)) // 8
    blocks = int(_BLOCKS[level].split()[version - 1])
    checks = int(_CHECKS_PER_BLOCK[level].split()[version - 1])
    short, longer = divmod(total, blocks)
    if longer == 0:
        return BlockStructure(blocks, 0, short, checks)
    return BlockStructure(blocks, blocks - longer, short + 1, checks)


@lru_cache(maxsize=160)
def interleaving(version: int, level: Level) -> NDArray[np.intp]:
    """`(blocks, length)`: place of every codeword of every block in the symbol's sequence (clause 7.6).

    -1 marks the absent first codeword of a short block.
    """
    structure = block_structure(version, level)
    blocks, length, checks = structure.blocks, structure.length, structure.checks
    present = np.ones((blocks, length), dtype=bool)
    # A short block lacks its last data codeword. Moving its data to the right by one makes the absent
    # codeword the first, where it is a leading zero of the code word's polynomial and changes nothing.
    present[: structure.short_blocks, length - checks - 1] = False
    place = np.full((blocks, length), -1, dtype=np.intp)
    place.T[present.T] = np.arange(int(present.sum()))
    short = place[: structure.short_blocks, : length - checks]
    place[: structure.short_blocks, : length - checks] = np.roll(short, 1, axis=1)
    place.flags.writeable = False
    return place


def block_reliabilities(
    llr: NDArray[np.float32], version: int, level: Level, mask: int
) -> NDArray[np.float32]:
    """Unmask, put into order and de-interleave: `(blocks, length, 8)`, most significant bit first.

    `llr` is `(n, n)`, positive for dark; the result is positive for a bit of 1 (clauses 7.7.3, 7.8.2 and
    7.6). The bits of absent codewords are certain zeros: minus infinity.
    """
    order = layout.data_order(version)
    rows, columns = order[:, 0], order[:, 1]
    stream = np.where(layout.mask(mask, version)[rows, columns], -llr[rows, columns], llr[rows, columns])
    place = interleaving(version, level)
    bits = stream[: len(stream) // 8 * 8].reshape(-1, 8)[place]
    bits[place < 0] = -np.inf
    return np.asarray(bits, dtype=np.float32)


def data_stream(blocks: NDArray[np.uint8], version: int, level: Level) -> NDArray[np.uint8]:
    """`(data_codewords,)`: the message of corrected blocks `(blocks, length)` (clause 7.5.1)."""
    structure = block_structure(version, level)
    present = interleaving(version, level)[:, : structure.length - structure.checks] >= 0
    return blocks[:, : structure.length - structure.checks][present]


def modules_of_blocks(blocks: NDArray[np.uint8], version: int, level: Level, mask: int) -> NDArray[np.bool_]:
    """`(n, n)` bool: the dark data modules of a symbol with these blocks, masked; False elsewhere.

    The inverse of `block_reliabilities`, remainder bits included.
    """
    place = interleaving(version, level)
    present = place >= 0
    order = layout.data_order(version)
    codewords = np.zeros(int(present.sum()), dtype=np.uint8)
    codewords[place[present]] = blocks[present]
    stream = np.zeros(len(order), dtype=bool)
    stream[: 8 * len(codewords)] = np.unpackbits(codewords)
    dark = np.zeros((layout.size(version), layout.size(version)), dtype=bool)
    dark[order[:, 0], order[:, 1]] = stream
    return dark ^ layout.mask(mask, version)
