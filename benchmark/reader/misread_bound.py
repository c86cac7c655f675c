"""Test of the misread bound: receptions without a symbol, and symbols near the wall.

    python -m benchmark reader bound

Each reception is decoded at the reader's limit, and at a limit that accepts nearly everything that parses, so that
wrong payloads would appear if the bound were too low. This is decoding alone, without geometry; `python -m benchmark
misreads` counts misreads on pictures.
"""

import argparse
import json
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmark.figures.machine import machine
from benchmark.reader.channel import ERROR_RATES, Soft, empty, fading, white
from benchmark.sets.filled_symbols import filled_symbol
from service.decoding.soft import acceptance
from service.decoding.soft.codewords import LEVELS
from service.decoding.soft.decode import decode_modules

EDGES = (-12, -8, -6, -4, -2, 0)
"""Bin edges of the misread bound, as decimal logarithms."""
CARELESS = 0.3
"""A limit of the misread bound that refuses hardly anything."""


def beyond(rng: np.random.Generator) -> tuple[Soft, int, bytes]:
    """A small symbol near the wall: soft bits of any scale, its version and payload.

    Half of the symbols are also damaged by a square of sure bits that do not depend on the symbol.
    """
    version, level = int(rng.choice([1, 1, 1, 2, 3, 5])), LEVELS[int(rng.integers(4))]
    dark, payload = filled_symbol(version, level, rng, rng.uniform(0.2, 1.0))
    worst = ERROR_RATES[level][-1]
    channel = (white, fading)[int(rng.integers(2))]
    llr = channel(dark, rng.uniform(0.4 * worst, 1.6 * worst), rng) * np.float32(rng.choice([0.3, 1.0, 3.0]))
    if rng.random() < 0.5:
        side = int(rng.integers(2, 8))
        row, column = rng.integers(0, len(dark) - side, 2)
        square = rng.choice([-6.0, 6.0], size=(side, side))
        llr[row : row + side, column : column + side] = square
    return llr, version, payload


def measure(receptions: int, limit: float, rng: np.random.Generator) -> dict[str, Any]:
    """Readings of `receptions` receptions, half of them empty and half hardly readable, by their bound."""
    nothing = 0
    bounds: dict[bool, list[float]] = {True: [], False: []}
    for _ in tqdm(range(receptions // 2), desc=f"limit {limit:g}", unit="pair"):
        version = int(rng.choice([1, 1, 2, 3, 4, 5, 7, 10]))
        nothing += decode_modules(empty(version, rng), version, limit=limit) is not None
        llr, version, payload = beyond(rng)
        found = decode_modules(llr, version, limit=limit)
        if found is not None:
            bounds[found.payload == payload].append(found.log10_misread_bound)
    edges = [-np.inf, *EDGES[:-1], 0.1]
    by_bound = [
        {"up_to": top, "right": int(right), "wrong": int(wrong)}
        for top, right, wrong in zip(
            EDGES, np.histogram(bounds[True], edges)[0], np.histogram(bounds[False], edges)[0], strict=True
        )
    ]
    return {
        "limit": limit,
        "without a symbol": receptions // 2,
        "read without a symbol": nothing,
        "near the wall": receptions // 2,
        "read": len(bounds[True]),
        "wrong": len(bounds[False]),
        "expected_wrong": float(np.sum(10.0 ** np.array(bounds[True] + bounds[False]))),
        "by_bound": by_bound,
    }


def run(given: argparse.Namespace) -> None:
    """Write `reader-bound.json`."""
    rows = [
        measure(given.receptions, limit, np.random.default_rng([given.seed, number]))
        for number, limit in enumerate((acceptance.DEFAULT_LIMIT, CARELESS))
    ]
    result = {
        "command": given.typed,
        "environment": machine(),
        "rows": rows,
    }
    print(json.dumps(rows, indent=1))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "bound.json").write_text(json.dumps(result, indent=1) + "\n")
