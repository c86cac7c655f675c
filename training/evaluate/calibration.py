"""What a generator's logits are worth: the table that its manifest carries.

    python -m training.evaluate.calibration --model model.onnx --kind camera jpeg50 jpeg10 --px 1.1 1.2 1.35

prints the reliability of the logits at the true module centres and the table as JSON.
"""

import argparse
import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.sampling import SoftCalibration
from training.evaluate.generated_logits import KINDS, whole_symbols
from training.evaluate.reader_stages import true_means
from training.evaluate.simulated_logits import Simulated

_EDGES = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0])
_READABLE = 0.12
"""Share of wrong modules above which a symbol is out of any decoder's reach and says nothing about the rest."""


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
    """The table that says how often logits of a size are right, the same for light and dark, ascending.

    Raises ValueError where there is too little evidence for a table.
    """
    logits, ratios = [0.0], [0.0]
    for low, high in pairwise(_EDGES):
        inside = (sizes >= low) & (sizes < high)
        count, errors = int(inside.sum()), int(wrong[inside].sum())
        if count < 50:
            continue
        # Half an error more on either side keeps few observations from meaning certainty (Haldane's correction).
        ratio = float(np.log((count - errors + 0.5) / (errors + 0.5)))
        logits.append(float(sizes[inside].mean()))
        ratios.append(max(ratio, ratios[-1]))
    if len(logits) < 3:
        raise ValueError("too few modules for a calibration")
    return SoftCalibration(
        tuple(-value for value in logits[:0:-1]) + tuple(logits),
        tuple(-value for value in ratios[:0:-1]) + tuple(ratios),
    )


def main() -> None:
    """Print the reliability and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--px", type=float, nargs="+", default=[1.1, 1.2, 1.35])
    parser.add_argument("--count", type=int, default=60, help="symbols of each kind and size")
    parser.add_argument("--seed", type=int, default=78)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    symbols = (
        symbol.truth
        for kind in given.kind
        for px in given.px
        for symbol in whole_symbols(given.model, kind, px, given.count, given.seed, given.cache)
    )
    sizes, wrong = evidence(symbols)
    table = calibrated(sizes, wrong)
    print("logit | modules | share wrong")
    for low, high in pairwise(_EDGES):
        inside = (sizes >= low) & (sizes < high)
        if inside.any():
            print(f"{low}-{high} | {inside.sum()} | {wrong[inside].mean():.5f}")
    print(json.dumps({"logit": [round(x, 3) for x in table.logit], "llr": [round(x, 3) for x in table.llr]}))


if __name__ == "__main__":
    main()
