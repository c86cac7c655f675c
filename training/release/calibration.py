"""The calibration of a generator's logits: the table in its manifest."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scoring.known_symbols import Simulated, true_means
from service.decoding.soft.sampling import SoftCalibration

EDGES = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0])
"""Bin edges of the absolute logits."""
_READABLE = 0.12
"""Share of wrong modules above which no decoder can read a symbol; such symbols are not counted."""


def evidence(symbols: Iterable[Simulated]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Logits at module centres in size `(m,)`, and whether their sign is wrong `(m,)`."""
    sizes, wrong = [np.zeros(0)], [np.zeros(0, dtype=bool)]
    for symbol in symbols:
        means = true_means(symbol)
        false = (means < 0) != symbol.modules
        if false.mean() > 0.5:  # Light on dark.
            false = ~false
        if false.mean() <= _READABLE:
            sizes.append(np.abs(means).ravel())
            wrong.append(false.ravel())
    return np.concatenate(sizes), np.concatenate(wrong)


def calibrated(sizes: NDArray[np.float64], wrong: NDArray[np.bool_]) -> SoftCalibration:
    """The table from logits to log-likelihood ratios, the same for light and dark, ascending.

    Raises ValueError if there is too little evidence for a table.
    """
    logits, ratios = [0.0], [0.0]
    for low, high in pairwise(EDGES):
        inside = (sizes >= low) & (sizes < high)
        count, errors = int(inside.sum()), int(wrong[inside].sum())
        if count < 50:
            continue
        # Half a count more on both sides, so that few observations do not mean certainty (Haldane's correction).
        ratio = float(np.log((count - errors + 0.5) / (errors + 0.5)))
        logits.append(float(sizes[inside].mean()))
        ratios.append(max(ratio, ratios[-1]))
    if len(logits) < 3:
        raise ValueError("too few modules for a calibration")
    return SoftCalibration(
        tuple(-value for value in logits[:0:-1]) + tuple(logits),
        tuple(-value for value in ratios[:0:-1]) + tuple(ratios),
    )
