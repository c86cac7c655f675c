"""What a generator's logits are worth: the table that its manifest carries.

    python -m training.evaluate.calibration --model model.onnx

prints the reliability of the logits at the true module centres and the table as JSON.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.sampling import SoftCalibration
from training.evaluate.generated_logits import KINDS, whole_symbols
from training.evaluate.options import newest_generator
from training.evaluate.reader_stages import true_means
from training.evaluate.simulated_logits import Simulated
from training.evaluate.upscalers import generator_file

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


def reliability(sizes: NDArray[np.float64], wrong: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """How often logits of a size are wrong, bin by bin."""
    rows: list[dict[str, Any]] = []
    for low, high in pairwise(_EDGES):
        inside = (sizes >= low) & (sizes < high)
        if inside.any():
            mean = round(float(sizes[inside].mean()), 3)
            rows.append(
                {"low": float(low), "high": float(high), "mean": mean, "modules": int(inside.sum())}
                | {"wrong": int(wrong[inside].sum())}
            )
    return rows


def main() -> None:
    """Print the table, and write it with the reliability to `calibration.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--model", type=Path, help="a version folder or ONNX file (default: the newest version)"
    )
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=KINDS)
    parser.add_argument("--px", type=float, nargs="+", default=(1.1, 1.2, 1.35))
    parser.add_argument("--count", type=int, default=60, help="symbols of each kind and size")
    parser.add_argument("--seed", type=int, default=78)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="folder of the result")
    given = parser.parse_args()
    model = given.model or newest_generator()
    if model is None:
        parser.error("no released generator; --model names one")
    file = generator_file(model)
    symbols = (
        symbol.truth
        for kind in given.kind
        for px in given.px
        for symbol in whole_symbols(file.path, kind, px, given.count, given.seed, given.cache)
    )
    sizes, wrong = evidence(symbols)
    measured = calibrated(sizes, wrong)
    # What the generator is sold with, so that the plot judges that; a fresh measurement where it brings none.
    used = file.calibration or measured
    command = "python -m training.evaluate.calibration " + shlex.join(sys.argv[1:])
    result = {
        "command": command.strip(),
        "generator": file.identity,
        "bins": reliability(sizes, wrong),
        "llr": {"logit": list(used.logit), "llr": list(used.llr)},
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "calibration.json").write_text(json.dumps(result, indent=1) + "\n")
    for row in result["bins"]:
        print(row)
    print(
        json.dumps(
            {"logit": [round(x, 3) for x in measured.logit], "llr": [round(x, 3) for x in measured.llr]}
        )
    )


if __name__ == "__main__":
    main()
