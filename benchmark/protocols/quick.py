"""The regression floor: a small fixed sweep that a broken generator or reader cannot pass."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.farm import run_all
from benchmark.comparison.options import Options
from benchmark.comparison.readers import DECODE, SOFT
from benchmark.comparison.results import Results, collect
from benchmark.comparison.tables import arm_table, label, misread_table
from benchmark.comparison.upscalers import OURS
from benchmark.errors import BenchmarkError
from benchmark.figures.tables import rate, table
from benchmark.sets.sweep import sweep_items

FAMILIES = ("camera", "jpeg-50", "jpeg-10", "defocus")
PX_PER_MODULE = (1.1, 1.3, 1.6)
COUNT = 8
FLOORS = Path(__file__).with_name("floors.json")
MARGIN = 0.06
"""Difference between a floor and the rate measured when it was set: about six of the symbols."""
FLOORED = (
    Arm("lr", NONE, "wechat"),
    Arm("lr", OURS, "wechat"),
    Arm("lr", OURS, SOFT),
    Arm("lr", NONE, DECODE),
)
TRUSTED = (SOFT, DECODE)
"""Readers that must never return a wrong payload."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an arm reaches its floor."""

    arm: Arm
    rate: float
    floor: float
    misreads: int

    @property
    def passed(self) -> bool:
        """Whether it reaches its floor and has no misreads if none are allowed."""
        return self.rate >= self.floor and not (self.misreads and self.arm.reader in TRUSTED)


def run_quick(options: Options) -> Results:
    """Read the quick set; writes `quick.json`.

    Raises:
        BenchmarkError: there is no generator to judge.
    """
    if options.ours is None:
        raise BenchmarkError("no released generator, and none named by --model: nothing to judge")
    arms = tuple(arm for arm in FLOORED if arm.reader in options.readers)
    items = sweep_items(FAMILIES, PX_PER_MODULE, COUNT, options.seed, arms)
    taken = run_all(items, options.setup, options.jobs, "quick")
    results = collect(
        "quick", options.command, options.seed, options.environment(), items, taken, options.out, {}
    )
    results.save(options.out / "quick.json")
    return results


def verdicts(results: Results, floors: Mapping[str, float]) -> list[Verdict]:
    """One for each arm that was tried."""
    return [
        Verdict(arm, float(results.read(arm).mean()), floors[str(arm)], results.wrong(arm))
        for arm in results.arms()
    ]


def broken(results: Results, picture: str = "lr") -> str | None:
    """The reason why the generator must be broken, from a quick run of any protocol; None if there is none.

    WeChat must read about as much of the enlargements as of the pictures themselves. A generator that loses symbols or
    draws wrong modules cannot reach this.
    """
    ours, alone = Arm(picture, OURS, "wechat"), Arm(picture, NONE, "wechat")
    if any(str(arm) not in results.outcomes for arm in (ours, alone)):
        return None
    tried = results.tried(ours) & results.tried(alone)
    enlarged, plain = (float(results.read(arm)[tried].mean()) for arm in (ours, alone))
    if enlarged >= max(plain - MARGIN, MARGIN):
        return None
    return f"WeChat reads {plain:.3f} of the pictures and {enlarged:.3f} of what the generator makes of them"


def floors() -> dict[str, float]:
    """The floors in force, by arm.

    Raises:
        BenchmarkError: none have been set.
    """
    if not FLOORS.is_file():
        raise BenchmarkError(f"{FLOORS.name} is missing; `quick --set-floors` writes it")
    values = json.loads(FLOORS.read_text())["floors"]
    return {str(arm): float(value) for arm, value in values.items()}


def set_floors(results: Results) -> None:
    """Write floors from the results.

    Raises:
        BenchmarkError: a floor of an arm with a generator would not be above what WeChat reads without one, so a broken
            generator could pass.
    """
    values = {str(arm): round(float(results.read(arm).mean()) - MARGIN, 3) for arm in results.arms()}
    alone = float(results.read(FLOORED[0]).mean())
    for arm in results.arms():
        if arm != FLOORED[0] and values[str(arm)] <= alone:
            raise BenchmarkError(f"{arm}: a floor of {values[str(arm)]} would let a broken generator pass")
    origin = results.environment["upscalers"]
    FLOORS.write_text(json.dumps({"floors": values, "set_by": origin}, indent=1) + "\n")


def quick_report(results: Results, judged: list[Verdict]) -> str:
    """Markdown."""
    rows = [
        [
            label(verdict.arm),
            rate(verdict.rate),
            rate(verdict.floor),
            str(verdict.misreads),
            "ok" if verdict.passed else "FAILED",
        ]
        for verdict in judged
    ]
    head = ["arm", "read", "floor", "misread", "verdict"]
    return "\n\n".join([table(head, rows), arm_table(results, "lr"), misread_table(results)])
