"""The likeliest code words near the soft bits: ordered-statistics decoding of the code's binary image.

A Reed–Solomon code over GF(256) is also a binary linear code, whose 8p parity checks can be solved for any 8p
independent bits. Solving them for the least reliable bits uses the redundancy for single unsure bits; erasing
codewords would give up the seven sure bits beside each. The few errors among the reliable bits remain to be guessed:

- order 2: none, one or any two of the `_NEAREST` least reliable of these are wrong (M. P. C. Fossorier, S. Lin,
  "Soft-decision decoding of linear block codes based on ordered statistics", IEEE Trans. Inf. Theory 41,
  1995); the costs of all pairs are one matrix product;
- order 4: up to four are wrong, found by matching pairs with pairs over a few checks that are assumed to be met
  (J. Stern, "A method for finding codewords of small weight", 1989; A. Valembois, M. Fossorier, "Box and
  match techniques applied to soft-decision decoding", IEEE Trans. Inf. Theory 50, 2004).

Every result is a code word by construction. `acceptance` decides whether it is the right one.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import reed_solomon

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_NEAREST = 320
"""Reliable bits that may be guessed wrong, the least reliable first."""
_MATCHED_CHECKS = 16
"""Checks over which pairs are matched. More checks give fewer false matches, and miss more true ones."""


@dataclass(frozen=True, slots=True)
class ReducedChecks:
    """The checks of one block, solved for its least reliable bits."""

    hard: NDArray[np.bool_]
    """`(bits,)` hard decisions."""
    solved: NDArray[np.intp]
    """`(8p,)` the bit for which each check is solved."""
    guessed: NDArray[np.intp]
    """`(g,)` the least reliable of the other bits, least reliable first."""
    parts: Bytes
    """`(8p, g)` of 0 and 1: the guessed bits in each check."""
    failed: Bytes
    """`(8p,)` of 0 and 1: the checks that the hard decisions do not meet."""
    solved_weights: Floats
    """`(8p,)` reliabilities of the solved bits."""
    guessed_weights: Floats
    """`(g,)` reliabilities of the guessed bits."""


def reduced_checks(llr: Floats, checks: int) -> list[ReducedChecks]:
    """Gaussian elimination for blocks `(blocks, 8n)` of one code; the most reliable bits stay free."""
    blocks, bits = llr.shape
    rows = 8 * checks
    weights = np.abs(llr)
    order = np.argsort(weights, axis=1, kind="stable")
    # More than 8p columns may be needed, since some of the least reliable ones depend on others.
    width = min(bits, rows + _NEAREST)
    order = order[:, :width]
    matrix = reed_solomon.check_matrix(bits // 8, checks).astype(np.uint8)
    hard = llr > 0
    failed = np.unpackbits(reed_solomon.syndromes(np.packbits(hard, axis=1), checks), axis=1)
    table = np.concatenate([matrix[order].transpose(0, 2, 1), failed[:, :, None]], axis=2)
    words = -(-(width + 1) // 64)
    table = np.concatenate([table, np.zeros((blocks, rows, 64 * words - width - 1), np.uint8)], axis=2)
    packed = np.packbits(table, axis=2, bitorder="little").view("<u8")
    pivots, free = _eliminate(packed, width)
    table = np.unpackbits(packed.view(np.uint8), axis=2, bitorder="little")
    reduced = []
    for block in range(blocks):
        guessed = np.flatnonzero(free[block])[:_NEAREST]
        solved_bits, guessed_bits = order[block][pivots[block]], order[block][guessed]
        reduced.append(
            ReducedChecks(
                hard[block],
                solved_bits,
                guessed_bits,
                table[block][:, guessed],
                table[block][:, width],
                weights[block][solved_bits],
                weights[block][guessed_bits],
            )
        )
    return reduced


def _eliminate(packed: NDArray[np.uint64], width: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Gauss–Jordan in place on `(blocks, rows, words)`; returns the column for which each row is solved, and the free
    columns."""
    blocks, rows, _ = packed.shape
    every = np.arange(blocks)
    unused = np.ones((blocks, rows), dtype=bool)
    pivots = np.zeros((blocks, rows), dtype=np.intp)
    free = np.ones((blocks, width), dtype=bool)
    left = rows * blocks
    for column in range(width):
        bit = (packed[:, :, column >> 6] >> np.uint64(column & 63)) & np.uint64(1)
        usable = unused & (bit != 0)
        row = usable.argmax(axis=1)
        solvable = usable[every, row]
        if not solvable.any():
            continue
        bit[every, row] = 0
        bit[~solvable] = 0
        packed ^= bit[:, :, None] * packed[every, row][:, None, :]
        chosen, at = every[solvable], row[solvable]
        unused[chosen, at] = False
        pivots[chosen, at] = column
        free[chosen, column] = False
        left -= len(chosen)
        if left == 0:
            break
    return pivots, free


def order_two(reduced: ReducedChecks) -> NDArray[np.bool_]:
    """`(bits,)` of the likeliest code word with at most two of the guessed bits wrong."""
    weights = reduced.guessed_weights
    parts = reduced.parts.astype(np.float32)
    # Cost if a check changes from met to failed; negative if it fails now.
    turn = reduced.solved_weights * (1 - 2 * reduced.failed.astype(np.float32))
    single = weights + turn @ parts
    pair = single[:, None] + single[None, :] - 2 * (parts.T @ (parts * turn[:, None]))
    np.fill_diagonal(pair, np.inf)
    first, second = divmod(int(pair.argmin()), len(weights))
    lone = int(single.argmin())
    best = min(0.0, float(single[lone]), float(pair[first, second]))
    if best == 0.0:
        return _completed(reduced, np.zeros(0, dtype=np.intp))
    if best == float(single[lone]):
        return _completed(reduced, np.array([lone]))
    return _completed(reduced, np.array([first, second]))


def order_four(reduced: ReducedChecks, band: int) -> NDArray[np.bool_] | None:
    """`(bits,)` of the likeliest code word with up to four guessed bits wrong and the checks of one band met.

    Band 0 are the `_MATCHED_CHECKS` checks solved for the most reliable bits, band 1 the next, and so on.
    None if no two pairs match or if there is no such band.
    """
    matched = np.argsort(-reduced.solved_weights, kind="stable")
    matched = matched[band * _MATCHED_CHECKS : (band + 1) * _MATCHED_CHECKS]
    if len(matched) < _MATCHED_CHECKS:
        return None
    shifts = (1 << np.arange(_MATCHED_CHECKS)).astype(np.uint16)
    keys = (shifts @ reduced.parts[matched]).astype(np.uint16)
    target = (shifts @ reduced.failed[matched]).astype(np.uint16)
    nothing = len(keys)
    keys = np.append(keys, np.uint16(0))
    # Pairs of distinct bits, and a bit with nothing: patterns of one and two.
    first, second = _pairs(len(keys))
    pair_keys = keys[first] ^ keys[second]
    order = np.argsort(pair_keys, kind="stable")
    sizes = np.bincount(pair_keys, minlength=1 << _MATCHED_CHECKS)
    starts = np.cumsum(sizes) - sizes
    sought = pair_keys ^ target
    counts = sizes[sought]
    total = int(counts.sum())
    offsets = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    left = np.repeat(np.arange(len(pair_keys)), counts)
    right = order[np.repeat(starts[sought], counts) + offsets]
    once = left < right
    left, right = left[once], right[once]
    if len(left) == 0:
        return None
    members = np.stack([first[left], second[left], first[right], second[right]])

    packed = np.packbits(reduced.parts.T, axis=1)
    packed = np.concatenate([packed, np.zeros((1, packed.shape[1]), np.uint8)])
    state = packed[members[0]] ^ packed[members[1]] ^ packed[members[2]] ^ packed[members[3]]
    state ^= np.packbits(reduced.failed)[None, :]
    octets = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
    table = octets @ reduced.solved_weights.reshape(-1, 8).T
    weights = np.append(reduced.guessed_weights, np.float32(0))
    cost = weights[members].sum(axis=0)
    for octet in range(state.shape[1]):
        cost += table[state[:, octet], octet]
    best = members[:, int(cost.argmin())]
    # A bit named twice cancels itself.
    chosen, times = np.unique(best[best != nothing], return_counts=True)
    return _completed(reduced, chosen[times % 2 == 1])


@lru_cache(maxsize=8)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(count, 1)


def _completed(reduced: ReducedChecks, wrong: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The code word with these guessed bits flipped; the solved bits follow."""
    fails = reduced.failed ^ (reduced.parts[:, wrong].sum(axis=1) & 1).astype(np.uint8)
    word = reduced.hard.copy()
    word[reduced.guessed[wrong]] ^= True
    word[reduced.solved] ^= fails.astype(bool)
    return word
