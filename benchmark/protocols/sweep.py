"""Read rate against pixels per module, for every family of degradation."""

from collections.abc import Sequence
from math import isinf

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison import plots
from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.farm import run_all
from benchmark.comparison.options import Options
from benchmark.comparison.readers import DECODE, SOFT
from benchmark.comparison.results import Results, collect
from benchmark.comparison.tables import arm_table, label, misread_table, paired_table
from benchmark.figures.statistics import Interval, critical_point
from benchmark.figures.tables import rate, table
from benchmark.sets.sweep import COUNT, PX_PER_MODULE, VERSIONS, sweep_items

WECHAT = Arm("lr", NONE, "wechat")


def run_sweep(
    options: Options,
    families: tuple[str, ...],
    axis: tuple[float, ...] = PX_PER_MODULE,
    count: int = COUNT,
) -> Results:
    """Read `count` symbols of each family at each point; writes `sweep.json`, `sweep.md` and plots."""
    arms = (*options.direct("lr"), *options.enlarged(("wechat",)))
    items = sweep_items(families, axis, count, options.seed, arms)
    taken = run_all(items, options.setup, options.jobs, "sweep")
    details = {
        "families": list(families),
        "px_per_module": list(axis),
        "symbols": count,
        "versions": list(VERSIONS),
    }
    results = collect(
        "sweep", options.command, options.seed, options.environment(), items, taken, options.out, details
    )
    results.save(options.out / "sweep.json")
    (options.out / "sweep.md").write_text(sweep_report(results) + "\n")
    plots.sweep_curves(results, plotted(results), options.out / "sweep.png")
    return results


def grid(results: Results, arm: Arm) -> NDArray[np.bool_]:
    """`(families, symbols, points)`: what the arm read."""
    details = results.details
    shape = (len(details["families"]), len(details["px_per_module"]), details["symbols"])
    return results.read(arm).reshape(shape).transpose(0, 2, 1)


def critical(results: Results, arm: Arm) -> list[Interval]:
    """For each family the pixels per module at which half of the symbols are read."""
    axis = np.array(results.details["px_per_module"])
    return [critical_point(axis, read, results.seed) for read in grid(results, arm)]


def plotted(results: Results) -> list[Arm]:
    """The arms in the plot: WeChat alone, WeChat on enlarged pictures, our own readers."""
    arms = [
        arm for arm in results.arms() if arm.upscaler != NONE or arm.reader in ("wechat", "zxing", "decode")
    ]
    return [arm for arm in arms if arm.reader in ("wechat", "zxing", SOFT, "decode")]


def sweep_report(results: Results, *, every_rate: bool = True) -> str:
    """Markdown: critical pixels per module by family and arm, pairs, misreads; rates at each point.

    The rates are only those of WeChat and the cascade, unless `every_rate`.
    """
    details = results.details
    parts = [
        f"{details['symbols']} symbols a family, versions {details['versions'][0]} to "
        f"{details['versions'][-1]} in equal shares, the same at every point of the axis.",
        "### Pixels per module at which half of the symbols are read [95 %]",
        _critical_table(results),
        "### All families and points together",
        arm_table(results, "lr"),
        "### Gained and lost against WeChat on the crop",
        paired_table(results, WECHAT, [arm for arm in results.arms() if arm != WECHAT]),
        "### Read rate at each point",
    ]
    for arm in plotted(results):
        if not every_rate and (arm.upscaler != NONE or arm.reader not in ("wechat", DECODE)):
            continue
        parts += [f"**{label(arm)}**", _rates_table(results, arm)]
    parts += ["### Misreads", misread_table(results)]
    return "\n\n".join(parts)


def _critical_table(results: Results) -> str:
    arms, axis = results.arms(), results.details["px_per_module"]
    columns = [critical(results, arm) for arm in arms]
    rows = [
        [family, *(_point(column[i], axis) for column in columns)]
        for i, family in enumerate(results.details["families"])
    ]
    return table(["family", *(label(arm) for arm in arms)], rows)


def _rates_table(results: Results, arm: Arm) -> str:
    rates = grid(results, arm).mean(axis=1)
    rows = [
        [family, *(rate(float(value)) for value in rates[i])]
        for i, family in enumerate(results.details["families"])
    ]
    return table(["px per module", *(f"{px:g}" for px in results.details["px_per_module"])], rows)


def _point(found: Interval, axis: Sequence[float]) -> str:
    def shown(value: float) -> str:
        if isinf(value):
            return f"> {axis[-1]:g}"
        return f"≤ {axis[0]:g}" if value <= axis[0] else f"{value:.2f}"

    if isinf(found.value):
        return shown(found.value)
    return f"{shown(found.value)} [{shown(found.low)}, {shown(found.high)}]"
