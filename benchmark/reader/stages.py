"""Where the soft-decision reader loses symbols: each stage compared with the true geometry, and with other readers.

    python -m benchmark reader stages                 the newest released generator, all families and sizes
    python -m benchmark reader stages --simulated     simulated logits: perspective and curvature alone

Both write a JSON file, of which `python -m benchmark reader report` makes the tables and plots of docs/reader.md.
Simulated logits (`simulated_logits`) say how the geometry fares, but nothing about a generator.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.options import newest_generator
from benchmark.comparison.readers import build_reader
from benchmark.comparison.upscalers import generator_file
from benchmark.errors import BenchmarkError
from benchmark.figures.machine import machine
from benchmark.paths import STORE
from benchmark.reader.generated_symbols import Generated, generated_symbols
from benchmark.reader.simulated_logits import Scene, simulate, symbol_modules
from scoring.known_symbols import Simulated, true_means
from service.decoding.soft import SoftCalibration, read_logits
from service.decoding.soft.decode import Decoded, decode_modules
from service.decoding.soft.effort import Effort
from service.decoding.soft.finder import find_finders
from service.decoding.soft.grid import Grid
from service.decoding.soft.sampling import TYPICAL, calibrated_llr, sampled
from service.decoding.soft.search import GridSearch
from service.decoding.soft.symbol_layout import version_of_size

BENDS = ((0.0, 0.0), (0.3, 0.0), (0.0, 0.5), (0.2, 1.0), (0.2, 1.5), (0.2, 2.0))
"""Perspective and height of the bow in modules, for simulated logits."""
_PATIENCE = 2000.0
"""Nominal milliseconds for the oracle, and for finding the stage that lost a symbol."""
_ON_THE_GRID = 0.4
"""Modules; a grid that is nowhere farther from the truth is right."""
Others = dict[str, Callable[[Generated], list[bytes]]]


@dataclass
class Tally:
    """Counts and measurements over the symbols of one setting."""

    calibration: SoftCalibration
    symbols: int = 0
    oracle: int = 0
    """Symbols decoded with the true grid."""
    read: int = 0
    wrong: int = 0
    """Readings with another payload than the symbol's."""
    gained: int = 0
    """Symbols read, but not with the true grid."""
    others: Counter[str] = field(default_factory=Counter)
    """Symbols read correctly by other readers."""
    lost: Counter[str] = field(default_factory=Counter)
    """Symbols read only with the true grid, by the stage that lost them."""
    errors: list[float] = field(default_factory=list)
    """Largest distance in modules of the nearest fitted grid from the true grid, for symbols that the oracle reads."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """CPU time: of `find` and of `read` as a whole, by outcome."""

    def add(self, truth: Simulated) -> None:
        """Read one symbol and record the outcome."""
        self.symbols += 1
        expected = self._oracle(truth)
        start = time.process_time()
        readings = read_logits(truth.logits, self.calibration, deadline_s=60)
        self._spent("read" if readings else "not read", start)
        start = time.process_time()
        finders = find_finders(np.tanh(-truth.logits / 2))
        self._spent("find", start)
        self.oracle += expected is not None
        self.read += bool(readings)
        if readings:
            self.wrong += any(reading.payload != payload_of(truth) for reading in readings)
            self.gained += expected is None
        if expected is None:
            return
        search = GridSearch(truth.logits, np.tanh(-truth.logits / 2), _patient())
        fits = [(_distance(fit.grid, truth), fit) for fit in search.fits(finders)]
        nearest, fit = min(fits, key=lambda item: item[0], default=(np.inf, None))
        self.errors.append(nearest)
        if readings:
            return
        places = truth.centres[[3, 3, -4], [3, -4, 3]]
        apart = np.linalg.norm(places[:, None] - finders.centres[None], axis=2)
        if np.sum(apart.min(axis=1, initial=np.inf) < _pitch(truth)) < 2:
            self.lost["find"] += 1
        elif fit is None or nearest > _ON_THE_GRID:
            self.lost["fit"] += 1
        elif _decoded(sampled(truth.logits, fit, self.calibration)) is None:
            self.lost["sample"] += 1
        else:
            self.lost["decode in time"] += 1

    def compare(self, symbol: Generated, others: Others) -> None:
        """Let other readers read the enlargement."""
        for name, read in others.items():
            self.others[name] += symbol.payload in read(symbol)

    def record(self, setting: dict[str, Any]) -> dict[str, Any]:
        """The data to be saved."""
        near = [error for error in self.errors if np.isfinite(error)]
        return setting | {
            "symbols": self.symbols,
            "true_grid": self.oracle,
            "read": self.read,
            "gained": self.gained,
            "wrong": self.wrong,
            "others": dict(self.others),
            "lost": dict(self.lost),
            "grid_error": [round(float(np.percentile(near, q)), 3) for q in (50, 95)] if near else None,
            "milliseconds": {
                name: round(1e3 * float(np.median(values)), 1) for name, values in self.seconds.items()
            },
        }

    def _oracle(self, truth: Simulated) -> Decoded | None:
        """The result with the true grid, sampled and decoded as in the reader."""
        light = calibrated_llr(true_means(truth), self.calibration)
        inverted = float(np.mean((light < 0) == truth.modules)) < 0.5
        return _decoded(light if inverted else -light)

    def _spent(self, name: str, start: float) -> None:
        self.seconds.setdefault(name, []).append(time.process_time() - start)


def payload_of(truth: Simulated) -> bytes:
    """The payload of the symbol, from its modules. Raises ValueError if they are no symbol."""
    decoded = _decoded(np.where(truth.modules, 8, -8).astype(np.float32))
    if decoded is None:
        raise ValueError("the truth is no symbol")
    return decoded.payload


def _pitch(truth: Simulated) -> float:
    centres = truth.centres
    return float(np.linalg.norm(centres[0, -1] - centres[0, 0])) / (len(centres) - 1)


def _distance(grid: Grid, truth: Simulated) -> float:
    """Largest distance of a module centre from the truth in modules, plain or mirrored."""
    if grid.modules != len(truth.modules):
        return float("inf")
    found = grid.centres()
    ways = (truth.centres, truth.centres.transpose(1, 0, 2))
    return min(float(np.linalg.norm(found - way, axis=2).max()) for way in ways) / _pitch(truth)


def _patient() -> Effort:
    return Effort(_PATIENCE, time.monotonic() + _PATIENCE)


def _decoded(llr: NDArray[np.float32]) -> Decoded | None:
    for way in (llr, llr.T):
        found = decode_modules(np.ascontiguousarray(way), version_of_size(len(llr)), _patient())
        if found is not None:
            return found
    return None


def simulated_symbols(count: int, perspective: float, bend: float, seed: int) -> Iterator[Simulated]:
    """Symbols of versions 1 to 10 at 4.8 pixels per module, any rotation, by `simulated_logits`."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        scene = Scene(
            module=4.8,
            rotation=float(rng.uniform(0, 360)),
            perspective=perspective,
            bend=bend,
            mirrored=bool(rng.random() < 0.1),
            inverted=bool(rng.random() < 0.1),
            quiet=float(rng.integers(0, 5)),
            busy=bool(rng.random() < 0.6),
            noise=float(rng.uniform(0.1, 0.25)),
        )
        yield simulate(symbol_modules(f"NUMBER {number}", int(rng.integers(1, 11)), "M"), scene, rng)


def _other_readers() -> Others:
    wechat, zxing = (build_reader(name, STORE / "wechat_qr" / "1") for name in ("wechat", "zxing"))
    return {
        "WeChat on the x4 image": lambda symbol: wechat(symbol.sr),
        "zxing-cpp on the x4 image": lambda symbol: zxing(symbol.sr),
        "WeChat on the crop": lambda symbol: wechat(symbol.lr),
        "zxing-cpp on the crop": lambda symbol: zxing(symbol.lr),
    }


def _of_a_generator(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    file, others = generator_file(given.model), _other_readers()
    table = file.calibration
    calibration = SoftCalibration(table.logit, table.llr) if table else TYPICAL
    most = max(given.count, given.most if given.legible else 0)
    for kind in given.kind:
        for px in given.px:
            tally = Tally(calibration)
            for symbol in generated_symbols(file, kind, px, most, given.seed):
                if tally.symbols >= given.count and tally.oracle >= given.legible:
                    break
                tally.add(symbol.truth)
                tally.compare(symbol, others)
            yield tally.record({"kind": kind, "px": px})


def _of_simulated_logits(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for perspective, bend in BENDS:
        tally = Tally(TYPICAL)
        for truth in simulated_symbols(given.count, perspective, bend, given.seed):
            tally.add(truth)
        yield tally.record({"perspective": perspective, "bend": bend})


def run(given: argparse.Namespace) -> None:
    """Write one file."""
    given.model = given.model or newest_generator()
    if given.model is None and not given.simulated:
        raise BenchmarkError("no released generator; --model names one")
    cv2.setNumThreads(1)
    rows = []
    for row in _of_simulated_logits(given) if given.simulated else _of_a_generator(given):
        rows.append(row)
        print(row, flush=True)
    identity = None if given.simulated else generator_file(given.model).identity
    result = {
        "command": given.typed,
        "generator": identity,
        "environment": machine(),
        "rows": rows,
    }
    given.out.mkdir(parents=True, exist_ok=True)
    name = "geometry.json" if given.simulated else "stages.json"
    (given.out / name).write_text(json.dumps(result, indent=1) + "\n")
