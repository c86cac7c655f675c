"""What each attempt of the service's cascade reads and costs by itself, and the best order.

Every attempt sees every crop, whether or not an earlier one read it. The crops are drawn like those of the sweep, but
from another stream of random numbers than every published figure, so that the order is not fitted to the test set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.arms import NONE, Arm, Item
from benchmark.comparison.candidates import CANDIDATES
from benchmark.comparison.farm import run_all
from benchmark.comparison.options import Options
from benchmark.comparison.results import Results, collect
from benchmark.comparison.upscalers import DRAFT, OURS
from benchmark.comparison.workbench import ATTEMPT, ENLARGING
from benchmark.errors import BenchmarkError
from benchmark.figures.tables import rate, table
from benchmark.sets.middle_photos import middle_items
from benchmark.sets.sweep import PX_PER_MODULE, sweep_items
from service.decoding.cascade import ATTEMPTS, Attempt

COUNT = 3
"""Symbols of a family."""
SEED = 1


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt at its place in an order."""

    attempt: str
    read: float
    """Share of all crops that it reads by itself."""
    first: int
    """Crops that no earlier attempt reads."""
    milliseconds: float
    """Mean processor time over the crops that reach it."""
    gain: float
    """Crops read a second of processor time, over the crops that reach it."""


def arm_of(attempt: Attempt) -> Arm:
    """The arm of an attempt."""
    upscaler = {"upload": NONE, "draft": DRAFT}.get(attempt.picture, OURS)
    return Arm("lr", upscaler, ATTEMPT + attempt.name)


def _arms(attempts: Sequence[Attempt]) -> tuple[Arm, ...]:
    return (
        *(Arm("lr", name, ENLARGING) for name in (OURS, DRAFT)),
        *(arm_of(attempt) for attempt in attempts),
    )


def run_attempts(options: Options, families: tuple[str, ...], count: int = COUNT) -> Results:
    """Try every attempt of the cascade on `count` symbols of each family at every size; writes
    `attempts.json`.

    Raises:
        BenchmarkError: the generator has no 8-bit copy.
    """
    items = sweep_items(families, PX_PER_MODULE, count, options.seed, _arms(CANDIDATES))
    return _tried(
        "attempts",
        options,
        items,
        f"{len(items)} crops: {count} symbols of each of {len(families)} families at {len(PX_PER_MODULE)} sizes.",
    )


def run_photo_attempts(options: Options, folder: Path) -> Results:
    """Try the service's attempts on photographs reduced to middle size; writes `attempts-photos.json`.

    Raises:
        PhotosError: see `photos.read_index`.
        BenchmarkError: the generator has no 8-bit copy.
    """
    items = middle_items(folder, _arms(ATTEMPTS))
    what = f"{len(items)} pictures: whole photographs reduced to middle size, plain and as JPEG."
    return _tried("attempts-photos", options, items, what)


def _tried(name: str, options: Options, items: Sequence[Item], what: str) -> Results:
    if not options.setup.drafts:
        raise BenchmarkError("the generator has no 8-bit copy (python -m training precision int8)")
    taken = run_all(items, options.setup, options.jobs, name)
    each = {
        str(arm): [round(one.shots[i].milliseconds, 2) for one in taken]
        for i, arm in enumerate(items[0].arms)
    }
    results = collect(
        name,
        options.command,
        options.seed,
        options.environment(),
        items,
        taken,
        options.out,
        {"what": what, "each": each},
    )
    results.save(options.out / f"{name}.json")
    return results


def as_served(results: Results) -> list[Step]:
    """The order of the service; the first attempt that needs enlarging includes its time."""
    read, cost, names, needs = _matrices(results)
    order = [names.index(attempt.name) for attempt in ATTEMPTS]
    return [
        _step(read, _charged(results, cost, needs, order[:k]), names, order[:k], i)
        for k, i in enumerate(order)
    ]


def by_gain(results: Results) -> list[Step]:
    """The order with, at each place, the attempt that reads most crops a second among those still unread.

    The first attempt that needs enlarging includes its time.
    """
    read, cost, names, needs = _matrices(results)
    order: list[int] = []
    steps: list[Step] = []
    while len(order) < len(names):
        charged = _charged(results, cost, needs, order)
        found = {i: _step(read, charged, names, order, i) for i in range(len(names)) if i not in order}
        best = max(found, key=lambda i: (found[i].gain, -found[i].milliseconds))
        steps.append(found[best])
        order.append(best)
    return steps


def attempts_report(results: Results) -> str:
    """Markdown: the order of the service and the one by gain."""
    count = len(results.items)
    full, draft = (results.milliseconds[str(Arm("lr", name, ENLARGING))]["mean"] for name in (OURS, DRAFT))
    parts = [
        f"{results.details['what']} Enlarging takes {full:.0f} ms in the mean, its draft {draft:.0f}.",
        "### As served",
        _steps_table(as_served(results), count),
        "### By crops read a second among those left",
        _steps_table(by_gain(results), count),
    ]
    return "\n\n".join(parts)


def _steps_table(steps: Sequence[Step], count: int) -> str:
    rows = [
        [step.attempt, rate(step.read), f"{step.first} ({100 * step.first / count:.1f} %)",
         f"{step.milliseconds:.1f}", f"{step.gain:.2f}"]
        for step in steps
    ]  # fmt: skip
    return table(
        [
            "attempt",
            "reads by itself",
            "first to read",
            "ms, mean, where it gets a turn",
            "read a second there",
        ],
        rows,
    )


def _step(
    read: NDArray[np.bool_], cost: NDArray[np.float64], names: list[str], before: list[int], i: int
) -> Step:
    reached = ~read[before].any(axis=0)
    first = int((read[i] & reached).sum())
    seconds = float(cost[i][reached].sum()) / 1e3
    return Step(
        names[i],
        float(read[i].mean()),
        first,
        float(cost[i][reached].mean()) if reached.any() else 0.0,
        first / seconds if seconds else 0.0,
    )


def _matrices(
    results: Results,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], list[str], list[str]]:
    """What each attempt read and its time, both `(attempts, crops)`; the names; the upscaler of each."""
    arms = [arm for arm in results.arms() if arm.reader.startswith(ATTEMPT)]
    read = np.array([results.read(arm) for arm in arms])
    cost = np.array([_times(results, arm) for arm in arms])
    names = [arm.reader.removeprefix(ATTEMPT) for arm in arms]
    return read, cost, names, [arm.upscaler for arm in arms]


def _charged(
    results: Results, cost: NDArray[np.float64], needs: list[str], before: list[int]
) -> NDArray[np.float64]:
    """`cost` plus the time of enlarging for attempts that need it, unless an earlier one needed the same."""
    done = {NONE, *(needs[i] for i in before)}
    for name in sorted({*needs} - done):
        here = np.array([need == name for need in needs])
        cost = cost + np.outer(here, _times(results, Arm("lr", name, ENLARGING)))
    return cost


def _times(results: Results, arm: Arm) -> NDArray[np.float64]:
    return np.array(results.details["each"][str(arm)])
