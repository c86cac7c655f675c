"""Time of the soft-decision reader from the logits on, by version of the symbol.

    python -m benchmark reader speed

Simulated logits at 4.8 pixels per module with some modules wrong, so that errors must be corrected. `illegible`
symbols have all function patterns but random data. They take the longest: the reader finds the symbol and cannot decode
it. Times are processor times; with `OPENBLAS_NUM_THREADS=1` they equal the wall-clock time of an idle core.
"""

import argparse
import json
import os
import sys
import time
from typing import Any

import cv2
import numpy as np

from benchmark.figures.machine import machine
from benchmark.reader.simulated_logits import Scene, module_errors, simulate, symbol_modules
from service.decoding.soft import read_logits
from service.decoding.soft import symbol_layout as layout

VERSIONS = (*range(1, 11), 15, 25, 40)
MODULE = 4.8
"""Pixels of a module, four times as many as in the crop."""


def measure(version: int, count: int, illegible: bool, seed: int) -> dict[str, Any]:
    """Time `count` symbols of one version, after one that is not counted."""
    rng = np.random.default_rng([seed, version, illegible])
    milliseconds, read, errors = [], 0, []
    for number in range(count + 1):
        modules = symbol_modules(f"https://example.org/{number:06d}"[: 14 if version == 1 else 40], version)
        if illegible:
            known, _ = layout.function_pattern(version)
            modules = np.where(known, modules, rng.random(modules.shape) < 0.5)
        scene = Scene(
            module=MODULE,
            rotation=float(rng.uniform(0, 360)),
            perspective=float(rng.uniform(0, 0.15)),
            noise=float(rng.uniform(0.15, 0.3)),
        )
        simulated = simulate(modules, scene, rng)
        start = time.process_time()
        readings = read_logits(simulated.logits, deadline_s=60)
        if number:
            milliseconds.append(1e3 * (time.process_time() - start))
            read += bool(readings)
            errors.append(module_errors(simulated))
    return {
        "version": version,
        "illegible": illegible,
        "symbols": count,
        "read": read,
        "module_errors": round(float(np.mean(errors)), 4),
        "median": round(float(np.median(milliseconds)), 1),
        "p95": round(float(np.percentile(milliseconds, 95)), 1),
        "pixels": simulated.logits.size,
    }


def run(given: argparse.Namespace) -> None:
    """Write `reader-speed.json`."""
    cv2.setNumThreads(1)
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        print("OPENBLAS_NUM_THREADS is not 1: these are the times of several cores together", file=sys.stderr)
    rows = []
    for illegible in (False, True):
        for version in VERSIONS:
            rows.append(measure(version, given.count, illegible, given.seed))
            print(rows[-1], flush=True)
    result = {
        "command": given.typed,
        "environment": machine(),
        "rows": rows,
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "speed.json").write_text(json.dumps(result, indent=1) + "\n")
