"""Intervals and tests for read rates. Every random number follows from a seed."""

from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959964
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson, 1927)."""
    if trials == 0:
        return Interval(0.0, 0.0, 1.0)
    share, z2 = successes / trials, _Z95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided p of McNemar's exact test: the probability of a split of the discordant pairs at least this uneven."""
    pairs = gained + lost
    if pairs == 0:
        return 1.0
    tail = sum(comb(pairs, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * float(tail / 2**pairs))


def monotone(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The non-decreasing sequence nearest to `values` in weighted squares, by pooling adjacent violators."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2:]
            blocks[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    return np.concatenate([np.full(count, value) for value, _, count in blocks])


def crossing(axis: NDArray[np.float64], rates: NDArray[np.float64], level: float = 0.5) -> float:
    """Where the monotone fit of `rates` over `axis` first reaches `level`, linearly between two points.

    The lower end of the axis if it begins at or above the level; infinite if it never reaches it.
    """
    fitted = monotone(rates, np.ones(len(rates)))
    above = np.flatnonzero(fitted >= level)
    if len(above) == 0:
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(axis[0])
    share = (level - fitted[i - 1]) / (fitted[i] - fitted[i - 1])
    return float(axis[i - 1] + share * (axis[i] - axis[i - 1]))


def critical_point(
    axis: NDArray[np.float64], read: NDArray[np.bool_], seed: int, level: float = 0.5
) -> Interval:
    """The point of the axis at which half of the symbols are read, with a bootstrap interval over symbols.

    `read` is `(symbols, len(axis))`: with the same symbols at every point of the axis, so whole rows are resampled.
    """
    rng = np.random.default_rng([seed, 0xB007])
    count = len(read)
    found = np.sort(
        [crossing(axis, read[rng.integers(0, count, count)].mean(axis=0), level) for _ in range(_RESAMPLES)]
    )
    low, high = found[int(0.025 * _RESAMPLES)], found[int(0.975 * _RESAMPLES) - 1]
    return Interval(crossing(axis, read.mean(axis=0), level), float(low), float(high))


def difference(ours: NDArray[np.bool_], theirs: NDArray[np.bool_], seed: int) -> Interval:
    """Difference of two read rates over the same symbols `(n,)`, with a bootstrap interval."""
    gaps = ours.astype(np.int8) - theirs.astype(np.int8)
    rng = np.random.default_rng([seed, 0xD1FF])
    means = np.sort([gaps[rng.integers(0, len(gaps), len(gaps))].mean() for _ in range(_RESAMPLES)])
    return Interval(
        float(gaps.mean()), float(means[int(0.025 * _RESAMPLES)]), float(means[int(0.975 * _RESAMPLES) - 1])
    )
