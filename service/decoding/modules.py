"""The modules of a symbol: what was printed, by its corrected code words, and what was seen of it.

Clauses: ISO/IEC 18004:2015.
"""

from functools import lru_cache
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.reading import Modules
from service.decoding.soft import codewords, reed_solomon
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import Level

BoolArray = NDArray[np.bool_]

# Table 12: the error correction level's two bits.
_INDICATORS: Final[dict[Level, int]] = {"M": 0, "L": 1, "H": 2, "Q": 3}
_UNSURE: Final = 2.0
"""Nats of the log-likelihood ratio below which a module is called unsure: more than one in eight such is wrong."""


def printed(version: int, level: Level, mask: int, blocks: NDArray[np.uint8]) -> BoolArray:
    """`(n, n)` the dark modules of a whole symbol with these code words (see `codewords.interleaving`)."""
    dark = codewords.modules_of_blocks(blocks, version, level, mask)
    _draw_patterns(dark, version, level, mask)
    return dark


def printed_as_seen(seen: BoolArray, version: int, level: Level, mask: int) -> BoolArray:
    """The same of a symbol of which no codeword is wrong: what was seen holds the data already."""
    dark = seen.copy()
    order = layout.data_order(version)
    rest = order[len(order) // 8 * 8 :]
    # The remainder bits are zeros before masking (clause 7.6).
    dark[rest[:, 0], rest[:, 1]] = layout.mask(mask, version)[rest[:, 0], rest[:, 1]]
    _draw_patterns(dark, version, level, mask)
    return dark


def _draw_patterns(dark: BoolArray, version: int, level: Level, mask: int) -> None:
    """Function patterns and format information."""
    known, pattern = layout.function_pattern(version)
    np.copyto(dark, pattern, where=known)
    word = layout.word_bits(layout.format_word(_INDICATORS[level] << 3 | mask), layout.FORMAT_BITS)
    for positions in layout.format_positions(version):
        dark[positions[:, 0], positions[:, 1]] = word


def corrected_blocks(
    seen: BoolArray, version: int, level: Level, mask: int
) -> tuple[NDArray[np.uint8], NDArray[np.intp]] | None:
    """Code words of a symbol of which every module has been cut at a threshold, and how many codewords of each block
    were wrong; None where a block has more errors than its code corrects.

    Args:
        seen: `(n, n)` dark modules, upright and unmirrored.
    """
    checks = codewords.block_structure(version, level).checks
    stream = np.append((seen ^ layout.mask(mask, version)).reshape(-1), False)
    words = np.packbits(stream[_places(version, level)], axis=2)[:, :, 0]
    syndromes = reed_solomon.syndromes(words, checks)
    if not syndromes.any():
        return words, np.zeros(len(words), dtype=np.intp)
    corrected, right = reed_solomon.correct(words, np.zeros(words.shape, dtype=bool), checks, syndromes)
    if not right.all():
        return None
    return corrected, (corrected != words).sum(axis=1)


@lru_cache(maxsize=40)
def _places(version: int, level: Level) -> NDArray[np.intp]:
    """`(blocks, length, 8)` which module of all, row by row, holds each bit of each codeword; one beyond the last for
    absent codewords."""
    order = layout.data_order(version)
    n = layout.size(version)
    modules_of = (order[:, 0] * n + order[:, 1])[: len(order) // 8 * 8].reshape(-1, 8)
    place = codewords.interleaving(version, level)
    found = modules_of[place]
    found[place < 0] = n * n
    found.flags.writeable = False
    return found


def compared(
    dark: BoolArray,
    seen: BoolArray,
    wrong: NDArray[np.intp],
    checks: int,
    llr: NDArray[np.float32] | None = None,
) -> Modules:
    """What was printed beside what was seen.

    Args:
        dark, seen: `(n, n)`.
        wrong: `(blocks,)` wrong codewords in each block.
        checks: error correction codewords in each.
        llr: `(n, n)` log-likelihood ratios that `seen` are the signs of.
    """
    version = layout.version_of_size(len(dark))
    damaged = dark != seen
    unsure = None if llr is None else np.packbits((np.abs(llr) < _UNSURE) & ~damaged).tobytes()
    return Modules(
        rows=dark.shape[0],
        columns=dark.shape[1],
        dark=np.packbits(dark).tobytes(),
        damaged=np.packbits(damaged).tobytes(),
        unsure=unsure,
        corrected=int((damaged & ~layout.function_pattern(version)[0]).sum()),
        unused_error_correction=max(0.0, 1.0 - 2.0 * float(wrong.max()) / checks),
    )


def format_distance(seen: BoolArray, level: Level, mask: int) -> int:
    """Modules of both copies of the format information that differ from what this level and mask have there."""
    word = layout.word_bits(layout.format_word(_INDICATORS[level] << 3 | mask), layout.FORMAT_BITS)
    positions = layout.format_positions(layout.version_of_size(len(seen)))
    return int((seen[positions[..., 0], positions[..., 1]] != word).sum())


@lru_cache(maxsize=512)
def misread_bound(length: int, checks: int, wrong: int) -> float:
    """Probability that a random word lies within `wrong` codewords of a code word of a Reed-Solomon code over GF(256).

    The code has `length` codewords, `checks` of them for error correction.

    The number of words in such a sphere times the number of code words, by the number of words.
    """
    sphere = sum(comb(length, count) * 255**count for count in range(wrong + 1))
    return float(min(sphere / 256**checks, 1.0))
