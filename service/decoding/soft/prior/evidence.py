"""The evidence of soft bits for values of several bits, relative to random bits.

A bit's evidence for 1 is P(received | 1) over the mean of P(received | 1) and P(received | 0), which is 2 / (1 +
exp(-l)) for the log-likelihood ratio l; the evidence for 0 is computed in the same way. The evidence for a value is the
product over its bits. Its mean over all values is 1, whatever was received.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

IMPOSSIBLE = -1e4
"""Logarithm of the evidence for a value that a bit is known not to have."""
_MOST = 35.0
"""Limit of a bit's log-likelihood ratio, in nats."""


def bit_evidence(llr: NDArray[np.floating]) -> Floats:
    """`(bits, 2)` logarithms of the evidence for 0 and for 1; `llr` `(bits,)`: log P(1) / P(0)."""
    bounded = np.clip(np.asarray(llr, dtype=np.float64), -_MOST, _MOST)
    return np.asarray(np.log(2) - np.logaddexp(0.0, np.stack([bounded, -bounded], axis=1)))


def pinned(evidence: Floats, bits: NDArray[np.integer], known: NDArray[np.bool_]) -> Floats:
    """The evidence if the bits flagged in `known` `(bits,)` have the values `bits`; their own evidence is kept."""
    other = np.arange(2)[None] != bits[:, None]
    return np.where(known[:, None] & other, IMPOSSIBLE, evidence)


@lru_cache(maxsize=32)
def bits_of(width: int, count: int) -> Floats:
    """`(count, width)` of 0 and 1: the bits of 0, 1, 2 ... , most significant first."""
    return ((np.arange(count)[:, None] >> np.arange(width - 1, -1, -1)) & 1).astype(np.float64)


def value_evidence(evidence: Floats, starts: NDArray[np.intp], width: int, count: int) -> Floats:
    """`(places, count)` logarithms of the evidence for 0 ... `count` - 1 in the `width` bits from each position on."""
    window = evidence[starts[:, None] + np.arange(width)]
    ones = bits_of(width, count)
    zero, one = window[..., 0], window[..., 1]
    return np.asarray(zero.sum(axis=1)[:, None] + (one - zero) @ ones.T)


def byte_likelihoods(evidence: Floats, start: int, places: int) -> Floats:
    """`(places, 256)` evidence (not its logarithm) for each byte of a run."""
    ratios = np.exp(evidence[start : start + 8 * places]).reshape(places, 8, 2)
    halves = []
    for half in (ratios[:, :4], ratios[:, 4:]):
        table = half[:, 0]
        for bit in range(1, 4):
            table = (table[:, :, None] * half[:, bit, None, :]).reshape(places, -1)
        halves.append(table)
    return np.asarray((halves[0][:, :, None] * halves[1][:, None, :]).reshape(places, 256))
