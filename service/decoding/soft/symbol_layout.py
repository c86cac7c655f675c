"""The layout of a QR symbol: function patterns, data modules, format and version information.

All arrays are indexed `[row, column]` of the upright, unmirrored symbol without its quiet zone, are computed
from the rules of ISO/IEC 18004 once per version, kept, and read-only. Clauses: ISO/IEC 18004:2015.
"""

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
Array = TypeVar("Array", BoolArray, IndexArray)

VERSIONS = range(1, 41)
FORMAT_BITS = 15
VERSION_BITS = 18
FIRST_VERSION_WITH_INFORMATION = 7
"""Symbols of smaller versions carry no version information (clause 7.10)."""


def size(version: int) -> int:
    """Side of the symbol in modules (clause 6.3.2): 21 for version 1 to 177 for version 40.

    Raises ValueError for a version that does not exist.
    """
    if version not in VERSIONS:
        raise ValueError(f"QR versions are 1 to 40, not {version}")
    return 17 + 4 * version


def version_of_size(modules: int) -> int:
    """The inverse of `size`. Raises ValueError if no version has that side."""
    version, rest = divmod(modules - 17, 4)
    if rest or version not in VERSIONS:
        raise ValueError(f"no QR version has {modules} modules a side")
    return version


@lru_cache(maxsize=40)
def alignment_coordinates(version: int) -> tuple[int, ...]:
    """Row (and column) coordinates of the alignment pattern centres, ascending; empty for version 1.

    Annex E: the first coordinate is 6, the last is seven from the far edge, and the others are spaced evenly
    from the far edge, by an even number of modules; the remainder goes into the gap at the near edge.
    """
    modules = size(version)
    if version == 1:
        return ()
    count = version // 7 + 2
    last, gaps = modules - 7, count - 1
    step = 2 * ((8 * version + 3 * count + 5) // (4 * gaps))
    return (6, *(last - step * k for k in range(gaps - 1, -1, -1)))


@lru_cache(maxsize=40)
def alignment_centres(version: int) -> IndexArray:
    """`(k, 2)` rows and columns of the alignment pattern centres (clause 6.3.6); k is 0 for version 1.

    The three that would fall on a finder pattern do not exist.
    """
    coordinates = alignment_coordinates(version)
    last = size(version) - 7
    corners = {(6, 6), (6, last), (last, 6)}
    centres = [(row, column) for row in coordinates for column in coordinates if (row, column) not in corners]
    return _frozen(np.array(centres, dtype=np.intp).reshape(-1, 2))


@lru_cache(maxsize=40)
def format_positions(version: int) -> IndexArray:
    """`(2, 15, 2)`: copy, bit, (row, column) of the format information (clause 7.9.1, figure 25).

    Bit k has the weight 2**k in the 15-bit sequence. Copy 0 surrounds the top left finder, copy 1 is split
    between the top right and the bottom left one.
    """
    modules = size(version)
    near = [0, 1, 2, 3, 4, 5, 7, 8]
    first = [(row, 8) for row in near] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    second = [(8, modules - 1 - k) for k in range(8)] + [(modules - 7 + k, 8) for k in range(7)]
    return _frozen(np.array([first, second], dtype=np.intp))


@lru_cache(maxsize=40)
def version_positions(version: int) -> IndexArray:
    """`(2, 18, 2)`: copy, bit, (row, column) of the version information (clause 7.10, figures 27 and 28).

    Bit k has the weight 2**k in the 18-bit sequence. Copy 0 is the bottom left block, copy 1 the top right
    one; each is the other's transpose. The places are given for any version: below 7 they hold data instead.
    """
    start = size(version) - 11
    lower = np.array([(start + k % 3, k // 3) for k in range(VERSION_BITS)], dtype=np.intp)
    return _frozen(np.stack([lower, lower[:, ::-1]]))


def version_word(version: int) -> int:
    """The 18-bit version information of a version, 7 to 40 (Annex D: the (18, 6) extended Golay code)."""
    return version << 12 | _bch_remainder(version << 12, 0x1F25, 12)


def format_word(level_and_mask: int) -> int:
    """The masked 15-bit format information of five data bits, 0 to 31 (Annex C: the (15, 5) BCH code)."""
    return (level_and_mask << 10 | _bch_remainder(level_and_mask << 10, 0x537, 10)) ^ 0x5412


@lru_cache(maxsize=40)
def function_pattern(version: int) -> tuple[BoolArray, BoolArray]:
    """`(known, dark)`, both `(n, n)` bool: the modules whose colour the version decides, and their colour.

    Finder patterns and separators (clauses 6.3.3 and 6.3.4), timing patterns (6.3.5), alignment patterns
    (6.3.6), the dark module (7.9.1) and, from version 7, both copies of the version information. Format
    information is not among them, since it depends on level and mask. `dark` is False where `known` is False.
    """
    modules = size(version)
    known = np.zeros((modules, modules), dtype=bool)
    dark = np.zeros_like(known)
    known[6, :] = known[:, 6] = True
    dark[6, ::2] = dark[::2, 6] = True

    rings = np.arange(-4, 5)
    distance = np.maximum(abs(rings[:, None]), abs(rings[None, :]))
    finder = (distance != 2) & (distance != 4)
    for row, column in ((3, 3), (3, modules - 4), (modules - 4, 3)):
        rows = slice(max(row - 4, 0), min(row + 5, modules))
        columns = slice(max(column - 4, 0), min(column + 5, modules))
        part = finder[
            rows.start - row + 4 : rows.stop - row + 4, columns.start - column + 4 : columns.stop - column + 4
        ]
        known[rows, columns] = True
        dark[rows, columns] = part

    alignment = distance[2:7, 2:7] != 1
    for row, column in alignment_centres(version):
        known[row - 2 : row + 3, column - 2 : column + 3] = True
        dark[row - 2 : row + 3, column - 2 : column + 3] = alignment

    known[modules - 8, 8] = dark[modules - 8, 8] = True
    if version >= FIRST_VERSION_WITH_INFORMATION:
        bits = word_bits(version_word(version), VERSION_BITS)
        for positions in version_positions(version):
            known[positions[:, 0], positions[:, 1]] = True
            dark[positions[:, 0], positions[:, 1]] = bits
    return _frozen(known), _frozen(dark)


@lru_cache(maxsize=40)
def data_order(version: int) -> IndexArray:
    """`(k, 2)` rows and columns of the data modules in the order of the final bit stream (clause 7.7.3).

    Two columns at a time from the right, alternately upwards and downwards, right module first, past the
    vertical timing pattern. The 0, 3, 4 or 7 remainder bits are the last of them.
    """
    modules = size(version)
    free = ~function_pattern(version)[0]
    for positions in format_positions(version):
        free[positions[:, 0], positions[:, 1]] = False
    order: list[tuple[int, int]] = []
    rights = [*range(modules - 1, 6, -2), 5, 3, 1]
    for turn, right in enumerate(rights):
        rows = range(modules) if turn % 2 else range(modules - 1, -1, -1)
        order.extend((row, column) for row in rows for column in (right, right - 1) if free[row, column])
    return _frozen(np.array(order, dtype=np.intp))


@lru_cache(maxsize=64)
def mask(index: int, version: int) -> BoolArray:
    """`(n, n)` bool: the data modules that data mask pattern `index`, 0 to 7, inverts (clause 7.8.2).

    False on every module that carries no data. Raises ValueError for another index.
    """
    modules = size(version)
    i, j = np.indices((modules, modules))
    match index:
        case 0:
            condition = (i + j) % 2
        case 1:
            condition = i % 2
        case 2:
            condition = j % 3
        case 3:
            condition = (i + j) % 3
        case 4:
            condition = (i // 2 + j // 3) % 2
        case 5:
            condition = (i * j) % 2 + (i * j) % 3
        case 6:
            condition = ((i * j) % 2 + (i * j) % 3) % 2
        case 7:
            condition = ((i + j) % 2 + (i * j) % 3) % 2
        case _:
            raise ValueError(f"data mask patterns are 0 to 7, not {index}")
    pattern = np.zeros((modules, modules), dtype=bool)
    order = data_order(version)
    pattern[order[:, 0], order[:, 1]] = condition[order[:, 0], order[:, 1]] == 0
    return _frozen(pattern)


def word_bits(word: int, count: int) -> BoolArray:
    """`(count,)` bool: bit k of `word` at index k."""
    return np.array([word >> k & 1 for k in range(count)], dtype=bool)


def _bch_remainder(polynomial: int, generator: int, degree: int) -> int:
    """Remainder over GF(2) of `polynomial` divided by `generator` of degree `degree`."""
    while polynomial.bit_length() > degree:
        polynomial ^= generator << (polynomial.bit_length() - 1 - degree)
    return polynomial


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
