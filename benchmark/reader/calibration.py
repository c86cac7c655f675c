"""How often a generator's logits are wrong, by their size, and the table in its manifest.

    python -m benchmark reader calibration --model model.onnx

prints the reliability of the logits at the true module centres and the table as JSON.
"""

import argparse
import json
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.options import newest_generator
from benchmark.comparison.upscalers import generator_file
from benchmark.errors import BenchmarkError
from training.release.calibration import EDGES, calibrated, evidence
from training.release.generated_logits import whole_symbols


def reliability(sizes: NDArray[np.float64], wrong: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """How often logits of a size are wrong, bin by bin."""
    rows: list[dict[str, Any]] = []
    for low, high in pairwise(EDGES):
        inside = (sizes >= low) & (sizes < high)
        if inside.any():
            mean = round(float(sizes[inside].mean()), 3)
            rows.append(
                {"low": float(low), "high": float(high), "mean": mean, "modules": int(inside.sum())}
                | {"wrong": int(wrong[inside].sum())}
            )
    return rows


def run(given: argparse.Namespace) -> None:
    """Print the table, and write it with the reliability to `calibration.json`."""
    model = given.model or newest_generator()
    if model is None:
        raise BenchmarkError("no released generator; --model names one")
    file = generator_file(model)
    symbols = (
        symbol.truth
        for kind in given.kind
        for px in given.px
        for symbol in whole_symbols(file.path, kind, px, given.count, given.seed, given.cache)
    )
    sizes, wrong = evidence(symbols)
    measured = calibrated(sizes, wrong)
    # The table of the release, so that the plot judges it; a new measurement if the release has none.
    used = file.calibration or measured
    result = {
        "command": given.typed,
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
