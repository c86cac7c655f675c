"""Where the soft-decision reader loses symbols: each stage against the true geometry, and what it costs.

    python -m training.evaluate.reader_stages --model model.onnx --kind camera --px 1.1 1.2 1.35 --count 100

Without `--model` the logits are simulated (`simulated_logits`), which says how the geometry fares under perspective
and curvature, but nothing about a generator.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import read_logits
from service.decoding.soft.decode import Decoded, decode_modules
from service.decoding.soft.effort import Effort
from service.decoding.soft.finder import find_finders
from service.decoding.soft.grid import Grid
from service.decoding.soft.pictures import bilinear
from service.decoding.soft.refinement import PER_MODULE, softened
from service.decoding.soft.sampling import TYPICAL, calibrated_llr, sampled
from service.decoding.soft.search import GridSearch
from service.decoding.soft.symbol_layout import version_of_size
from training.evaluate.generated_logits import KINDS, whole_symbols
from training.evaluate.simulated_logits import Scene, Simulated, simulate, symbol_modules

_PATIENCE = 2000.0
"""Nominal milliseconds for the oracle and for the questions why a symbol was lost."""
_ON_THE_GRID = 0.4
"""Modules; a grid that is nowhere farther off is the right one."""


@dataclass
class Tally:
    """Counts and measurements over the symbols of one setting."""

    symbols: int = 0
    oracle: int = 0
    """Decoded with the true grid."""
    read: int = 0
    both: int = 0
    wrong: int = 0
    """Readings whose payload differs from the oracle's."""
    lost: Counter[str] = field(default_factory=Counter)
    """Read with the true grid only, by the stage that lost them."""
    errors: list[float] = field(default_factory=list)
    """Largest distance from the true grid, in modules, where the oracle reads."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """CPU time: of `find` and of `read` as a whole, by outcome."""

    def add(self, truth: Simulated, deadline_s: float) -> None:
        """Read one symbol and say what became of it."""
        self.symbols += 1
        expected = _oracle(truth)
        start = time.process_time()
        readings = read_logits(truth.logits, deadline_s=deadline_s)
        self._spent("read" if readings else "not read", start)
        start = time.process_time()
        finders = find_finders(np.tanh(-truth.logits / 2))
        self._spent("find", start)
        self.oracle += expected is not None
        self.read += bool(readings)
        self.both += bool(readings) and expected is not None
        if expected is None:
            return
        self.wrong += any(reading.payload != expected.payload for reading in readings)
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
        elif _decoded(sampled(truth.logits, fit, TYPICAL)) is None:
            self.lost["sample"] += 1
        else:
            self.lost["decode in time"] += 1

    def _spent(self, name: str, start: float) -> None:
        self.seconds.setdefault(name, []).append(time.process_time() - start)

    def row(self) -> str:
        """One line of the table."""
        share = self.read / self.oracle if self.oracle else float("nan")
        near = [error for error in self.errors if np.isfinite(error)] or [float("nan")]
        times = {
            name: 1000 * float(np.median(self.seconds.get(name, [float("nan")])))
            for name in ("find", "read", "not read")
        }
        losses = " ".join(f"{name} {count}" for name, count in sorted(self.lost.items())) or "none"
        return (
            f"{self.symbols} | {self.oracle} | {self.read} | {share:.2f} | {losses} | {self.wrong} | "
            f"{np.median(near):.2f} / {np.percentile(near, 95):.2f} | "
            + " / ".join(f"{value:.0f}" for value in times.values())
        )


HEADER = (
    "symbols | true grid | reader | share | lost in | wrong | grid error median / 95 % (modules) | "
    "CPU ms find / read / not read"
)


def _pitch(truth: Simulated) -> float:
    centres = truth.centres
    return float(np.linalg.norm(centres[0, -1] - centres[0, 0])) / (len(centres) - 1)


def _distance(grid: Grid, truth: Simulated) -> float:
    """Largest distance of a module centre from the truth in modules, seen straight or mirrored."""
    if grid.modules != len(truth.modules):
        return float("inf")
    found = grid.centres()
    ways = (truth.centres, truth.centres.transpose(1, 0, 2))
    return min(float(np.linalg.norm(found - way, axis=2).max()) for way in ways) / _pitch(truth)


def true_means(truth: Simulated) -> NDArray[np.float32]:
    """`(n, n)` logits averaged per module as the reader does, at the true places."""
    n = len(truth.modules)
    offsets = (np.arange(PER_MODULE) + 0.5) / PER_MODULE - 0.5
    right = np.gradient(truth.centres, axis=1)[:, None, :, None]
    down = np.gradient(truth.centres, axis=0)[:, None, :, None]
    at = truth.centres[:, None, :, None] + offsets[:, None, None, None] * down + offsets[:, None] * right
    return softened(bilinear(truth.logits, at.reshape(PER_MODULE * n, PER_MODULE * n, 2)))


def _oracle(truth: Simulated) -> Decoded | None:
    """What the true grid yields, sampled and decoded as the reader does."""
    light = calibrated_llr(true_means(truth), TYPICAL)
    inverted = float(np.mean((light < 0) == truth.modules)) < 0.5
    return _decoded(light if inverted else -light)


def _patient() -> Effort:
    return Effort(_PATIENCE, time.monotonic() + _PATIENCE)


def _decoded(llr: NDArray[np.float32]) -> Decoded | None:
    for way in (llr, llr.T):
        found = decode_modules(
            np.ascontiguousarray(way), version_of_size(len(llr)), _patient()
        )
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


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, help="a generator in ONNX; simulated logits without it")
    parser.add_argument("--kind", choices=KINDS, default="camera")
    parser.add_argument("--px", type=float, nargs="+", default=[1.1, 1.2, 1.35], help="pixels per module")
    parser.add_argument("--count", type=int, default=100, help="symbols for each line")
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--deadline", type=float, default=0.3, help="seconds for each picture")
    parser.add_argument("--cache", type=Path, help="folder for the bank of symbols")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    print("setting |", HEADER)
    if given.model:
        for px in given.px:
            tally = Tally()
            for truth in whole_symbols(given.model, given.kind, px, given.count, given.seed, given.cache):
                tally.add(truth, given.deadline)
            print(f"{given.kind}, {px} px |", tally.row(), flush=True)
        return
    for perspective, bend in ((0.0, 0.0), (0.3, 0.0), (0.0, 0.5), (0.2, 1.0), (0.2, 1.5)):
        tally = Tally()
        for truth in simulated_symbols(given.count, perspective, bend, given.seed):
            tally.add(truth, given.deadline)
        print(f"perspective {perspective}, bend {bend} modules |", tally.row(), flush=True)


if __name__ == "__main__":
    main()
