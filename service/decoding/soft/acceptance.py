"""A bound on the probability that a decoded block is not what was printed.

Let w be the reliabilities |llr| of a block's N bits and D the discrepancy of a code word, the sum
of w over the bits where it contradicts the hard decisions. Let R be the number of redundant bits. A word that was
not printed is one of 2^(N-R) words of a code that is independent of the received bits. Under the random-coding
model each of its bits agrees with the hard decision with probability 1/2. So the expected number of such words with
a discrepancy of at most D is, by Chernoff's bound and for every t > 0, at most

    2^-R * exp(t D) * prod(1 + exp(-t w)).

This bounds the probability that the whole code has *any* other word as good as the accepted one. Therefore

- it does not grow with the effort: every trial of every stage chooses among the same words;
- it holds for noise, where no word was printed, and for a symbol decoded to a neighbour of the printed word
  alike;
- it holds for every t and every scale of w, hence whether or not the reliabilities are calibrated (they are
  needed to find the word, not to trust it). At t = 1 and with calibrated reliabilities it is Forney's
  likelihood ratio of all other words to this one (G. D. Forney, "Exponential error bounds for erasure, list,
  and decision feedback schemes", IEEE Trans. Inf. Theory 14, 1968).

Chernoff's bound is too large by a factor of ten or more. Where that decides, the words are counted: the distribution of
the sum of w over random bits is computed exactly, except that every w is rounded down (`log_counted_bound`), which
only adds words.

A second bound counts codewords instead of bits. It is tighter for few errors in otherwise sure bits:
with s least reliable codewords erased, the share of the words of length n that lie within e codewords of a code
word is at most sum_i C(n-s, i) 255^i / 256^(p-s), for a code with p check codewords. s may be any number up to p.
The chances of being accepted by the first bound, by the second with s = 0 and by the second with any other s
add up; each is given a third.

Codewords that the message's length fixes, its padding, shorten the code: they are left out of all sums, and R stays.
They are no evidence, because a wrong word with the same length has them as well: if they agree with the received bits,
the length is right, but the rest may be wrong. The same holds for mode indicators and counts.
"""

from functools import lru_cache
from math import lgamma, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DEFAULT_LIMIT: Final = 1e-8
"""Largest misread bound at which a symbol is accepted.

Ten times the bound of the standard's own choice of correctable errors where that is least cautious (version 10-L
with nine wrong codewords in each of its blocks), so that everything that the standard corrects is accepted.
"""
_EXPONENTS: Final = np.geomspace(0.4, 60.0, 12)
"""Values of t times the mean reliability; the best of them gives the bound."""
_STEPS: Final = 2048
"""Steps into which the discrepancy is divided when words are counted."""
COUNTING_GAINS: Final = 5.0
"""Nats by which counting words may tighten the bound; it is not tried if more is needed."""


def log_misread_bounds(weights: Floats, wrong: NDArray[np.bool_], checks: int) -> Floats:
    """`(blocks,)` natural logarithm of the bound on the probability that a block is misread.

    `weights` `(blocks, n, 8)`: reliabilities |llr| >= 0, infinite for codewords that are absent or known; `wrong`,
    the same shape: bits where the code word contradicts the hard decision, False where the weight is infinite.
    """
    soft = _log_soft_bounds(weights, wrong, 8 * checks)
    coarse = _log_codeword_bounds(weights, wrong, checks)
    return np.minimum(log(3) + np.minimum(soft, coarse), 0.0)


def log_counted_bound(weights: Floats, wrong: NDArray[np.bool_], checks: int) -> float:
    """The first bound for one block `(n, 8)` with the words counted, as tight as rounding allows; some milliseconds.

    The sum's distribution is built bit by bit under the tilted measure exp(-t w), as exact tail probabilities are
    (J. A. Bucklew, Large Deviation Techniques, 1990), since the plain one is beyond floating point.
    """
    given = weights[np.isfinite(weights)]
    discrepancy = float(weights[wrong].sum())
    if discrepancy <= 0.0:
        return float("inf")
    step = discrepancy / _STEPS
    sizes = np.floor(given / step)
    t = _best_exponent(given, discrepancy)
    tilted = np.exp(-t * step * sizes)
    chances = tilted / (1 + tilted)
    short = sizes <= _STEPS
    share = np.zeros(_STEPS + 1)
    share[0] = float(np.exp(np.log1p(-chances[~short]).sum()))
    for size, chance in zip(sizes[short].astype(np.intp).tolist(), chances[short].tolist(), strict=True):
        moved = chance * share[: _STEPS + 1 - size]
        share *= 1 - chance
        share[size:] += moved
    # Back from the tilted measure; 2^(N-R) words; each bit disagrees with probability 1/2.
    words = float(np.log1p(tilted).sum()) - 8 * checks * log(2)
    tail = np.log(np.maximum(share, 1e-300)) + t * step * np.arange(_STEPS + 1)
    return log(3) + words + float(np.logaddexp.reduce(tail))


def _best_exponent(weights: Floats, discrepancy: float) -> float:
    """t of the tightest Chernoff bound among `_EXPONENTS`."""
    exponents = _EXPONENTS / max(float(weights.mean()), 1e-9)
    bounds = exponents * discrepancy + np.log1p(np.exp(-exponents[:, None] * weights)).sum(axis=1)
    return float(exponents[int(np.argmin(bounds))])


def log_words_as_near(weights: Floats, wrong: NDArray[np.bool_], checks: int) -> float:
    """The first bound for one block `(n, 8)` by Chernoff's bound: log of the expected number of words as near."""
    return float(_log_soft_bounds(weights[None], wrong[None], 8 * checks)[0])


def log_expected_words(weights: Floats, checks: int) -> Floats:
    """`(blocks,)` log of the expected number of other words as likely as the right one, for calibrated bits.

    Above zero the bits carry less information than the message, and decoding is hopeless.
    """
    doubt = np.logaddexp(0.0, -weights)
    entropy = (doubt + np.where(np.isfinite(weights), weights, 0.0) * np.exp(-weights - doubt)).sum(
        axis=(1, 2)
    )
    return np.asarray(entropy - 8 * checks * log(2))


def _log_soft_bounds(weights: Floats, wrong: NDArray[np.bool_], redundancy: int) -> Floats:
    finite = np.isfinite(weights)
    discrepancy = np.sum(np.where(wrong, weights, 0.0), axis=(1, 2))
    mean = np.sum(np.where(finite, weights, 0.0), axis=(1, 2)) / np.maximum(finite.sum(axis=(1, 2)), 1)
    best = np.full(len(weights), np.inf)
    for exponent in _EXPONENTS:
        t = exponent / np.maximum(mean, 1e-9)
        terms = np.log1p(np.exp(-t[:, None, None] * weights)).sum(axis=(1, 2))
        best = np.minimum(best, t * discrepancy + terms)
    return np.asarray(best - redundancy * log(2))


def _log_codeword_bounds(weights: Floats, wrong: NDArray[np.bool_], checks: int) -> Floats:
    order = erasure_order(weights)
    # An unknown bit agrees with nothing, whatever its hard decision is.
    errors = np.take_along_axis((wrong | (weights == 0)).any(axis=2), order, axis=1)
    left = errors.sum(axis=1)[:, None] - np.cumsum(errors, axis=1) + errors
    lengths = np.isfinite(weights).all(axis=2).sum(axis=1)
    bounds = np.empty(len(weights))
    for block, length in enumerate(lengths.tolist()):
        erased = np.arange(min(checks, length - 1) + 1)
        shares = _log_shares(length, checks)[erased, left[block][erased]]
        bounds[block] = min(shares[0], shares[1:].min(initial=np.inf) + log(max(len(erased) - 1, 1)))
    return bounds


def erasure_order(weights: Floats) -> NDArray[np.intp]:
    """`(blocks, n)` codewords, least reliable first: the likeliest to hold a wrong bit."""
    return np.argsort(-np.logaddexp(0.0, -weights).sum(axis=2), axis=1, kind="stable")


@lru_cache(maxsize=64)
def _log_shares(length: int, checks: int) -> Floats:
    """`(length, length + 1)`: log share of words within e codewords of a code word, s erased, at [s, e]."""
    shares = np.empty((length, length + 1))
    for erased in range(length):
        rest = length - erased
        terms = [
            lgamma(rest + 1) - lgamma(errors + 1) - lgamma(rest - errors + 1) + errors * log(255)
            if errors <= rest
            else -np.inf
            for errors in range(length + 1)
        ]
        shares[erased] = np.logaddexp.accumulate(terms) - (checks - erased) * log(256)
    return shares
