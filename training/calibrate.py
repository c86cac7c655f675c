"""What a generator's logits are worth: a table from logits to log-likelihood ratios, measured on known symbols.

The soft-decision reader weighs every module by its log-likelihood ratio. A net trained by cross-entropy means its
logits as such, but modules are averaged under a window, and a net is surer of training scenes than of new ones.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_store.manifest import Calibration
from training.evaluate.generated_logits import KINDS, whole_symbols
from training.evaluate.simulated_logits import Simulated

SIZES = (0.95, 1.05, 1.15, 1.3, 1.5)
"""LR pixels per module of the symbols measured: where a reader needs to know what to believe."""
SEED = 7_100_003
"""Apart from the seeds of training, validation and benchmarks."""
_OFFSETS = (-0.375, -0.125, 0.125, 0.375)
_SIGMA = 0.2
"""Standard deviation of the reader's window in modules (`service.decoding.soft.sampling`)."""
_KNOTS = 25

Floats = NDArray[np.float64]


def calibrate(model: Path, symbols: int, cache: Path | None = None) -> Calibration:
    """Measure the table of the generator `model` (ONNX) on `symbols` symbols per kind of degradation and size."""
    parts = [
        measured(symbol)
        for kind in KINDS
        for number, size in enumerate(SIZES)
        for symbol in whole_symbols(model, kind, size, symbols, SEED + number, cache)
    ]
    return fitted(
        np.concatenate([logits for logits, _ in parts]), np.concatenate([light for _, light in parts])
    )


def measured(symbol: Simulated) -> tuple[Floats, NDArray[np.bool_]]:
    """Windowed logits `(k,)` of a symbol's modules at the true grid, and which of them are light in the picture."""
    centres = symbol.centres
    along, down = np.gradient(centres, axis=1), np.gradient(centres, axis=0)
    window = np.exp(-0.5 * (np.array(_OFFSETS) / _SIGMA) ** 2)
    window /= window.sum()
    mean = np.zeros(centres.shape[:2])
    for dx, weight_x in zip(_OFFSETS, window, strict=True):
        for dy, weight_y in zip(_OFFSETS, window, strict=True):
            points = (centres + dx * along + dy * down).astype(np.float32)
            seen = cv2.remap(symbol.logits, points, np.empty(0, np.float32), cv2.INTER_LINEAR)
            mean += weight_x * weight_y * seen
    light = ~symbol.modules
    # A symbol printed light on dark shows its modules the other way round.
    if np.mean((mean > 0) == light) < 0.5:
        light = ~light
    return mean.ravel(), light.ravel()


def fitted(logits: Floats, light: NDArray[np.bool_]) -> Calibration:
    """Isotonic table of `_KNOTS` knots: log odds of `light` among modules of about equal logit.

    Modules and their complements count alike, so that the table is odd: dark and light mean the same.
    """
    magnitude = np.abs(logits)
    right = (logits > 0) == light
    order = np.argsort(magnitude)
    groups = np.array_split(order, _KNOTS)
    # Krichevsky-Trofimov: half a count more on either side keeps the odds finite.
    odds = [np.log((right[group].sum() + 0.5) / ((~right[group]).sum() + 0.5)) for group in groups]
    knots = np.array([magnitude[group].mean() for group in groups])
    # Zero says nothing, by symmetry; it also keeps a first knot at zero from standing twice.
    knots = np.concatenate([[0.0], np.maximum(knots, 1e-3 * np.arange(1, _KNOTS + 1))])
    ratios = np.concatenate([[0.0], np.maximum(_isotonic(np.array(odds)), 0)])
    return Calibration(logit=_odd(knots), llr=_odd(ratios))


def _odd(positive: Floats) -> tuple[float, ...]:
    """The values of an odd function from its values at 0 and above."""
    both = np.concatenate([-positive[:0:-1], positive])
    return tuple(round(float(value), 4) for value in both)


def _isotonic(values: Floats) -> Floats:
    """The ascending sequence nearest to `values` in squares: pool adjacent violators (Barlow et al. 1972)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = float(value), 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            earlier, members = pools.pop()
            total, count = total + earlier, count + members
        pools.append((total, count))
    return np.concatenate([np.full(count, total / count) for total, count in pools])
