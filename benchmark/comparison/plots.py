"""Plots as small PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmark.comparison.arms import Arm
from benchmark.comparison.results import Results
from benchmark.comparison.tables import label
from benchmark.figures.statistics import wilson

mpl.use("Agg")

from matplotlib import pyplot as plt

_DPI = 80


def arms(results: Results, picture: str, path: Path) -> None:
    """Read rate of every arm of one picture, with its interval, best first."""
    chosen = [arm for arm in results.arms() if arm.picture == picture and results.tried(arm).any()]
    rates = [wilson(int(results.read(arm).sum()), int(results.tried(arm).sum())) for arm in chosen]
    order = sorted(range(len(chosen)), key=lambda i: rates[i].value)
    figure, axes = plt.subplots(figsize=(8, 1 + 0.3 * len(chosen)))
    values = [rates[i].value for i in order]
    errors = [[rates[i].value - rates[i].low for i in order], [rates[i].high - rates[i].value for i in order]]
    axes.barh([label(chosen[i]) for i in order], values, xerr=errors, color="tab:blue", ecolor="0.3")
    axes.set(xlim=(0, 1), xlabel=f"share of the {picture} pictures read")
    axes.grid(axis="x", alpha=0.3)
    _save(figure, path)


def sweep_curves(results: Results, chosen: Sequence[Arm], path: Path) -> None:
    """Read rate against pixels per module: one panel a family, one curve an arm."""
    families, axis = results.details["families"], results.details["px_per_module"]
    columns = min(5, len(families))
    rows = -(-len(families) // columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(3.0 * columns, 2.3 * rows + 0.6), sharex=True, sharey=True, squeeze=False
    )
    shape = (len(families), len(axis), results.details["symbols"])
    curves = {arm: results.read(arm).reshape(shape).mean(axis=2) for arm in chosen}
    for i, panel in enumerate(panels.flat):
        if i >= len(families):
            panel.axis("off")
            continue
        for arm, rates in curves.items():
            panel.plot(axis, rates[i], marker=".", markersize=4, linewidth=1.2, label=label(arm))
        panel.axhline(0.5, color="0.7", linewidth=0.8)
        panel.set_title(families[i], fontsize=9)
        panel.set_xscale("log")
        panel.set_xticks([1, 1.5, 2, 3, 4], ["1", "1.5", "2", "3", "4"])
        panel.minorticks_off()
        panel.grid(alpha=0.25)
    figure.supxlabel("pixels per module", fontsize=10)
    figure.supylabel("share read", fontsize=10)
    handles, names = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", ncols=min(6, len(names)), fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.35 / (2.3 * rows + 0.6)))
    _save(figure, path, tight=False)


def pareto(points: Sequence[tuple[str, float, float]], path: Path, ylabel: str) -> None:
    """Read rate against milliseconds; `points` are (name, milliseconds, rate). The frontier is drawn."""
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for name, milliseconds, rate in points:
        axes.plot(milliseconds, rate, "o", color="tab:blue")
        axes.annotate(name, (milliseconds, rate), textcoords="offset points", xytext=(5, 4), fontsize=9)
    best: list[tuple[float, float]] = []
    for _, milliseconds, rate in sorted(points, key=lambda point: point[1]):
        if not best or rate > best[-1][1]:
            best.append((milliseconds, rate))
    if len(best) > 1:
        axes.step(*np.array(best).T, where="post", color="0.6", linewidth=1, zorder=0)
    axes.set_xscale("log")
    axes.set(xlabel="milliseconds for a 128x128 crop, one core", ylabel=ylabel, ylim=(0, 1))
    axes.grid(alpha=0.3, which="both")
    _save(figure, path)


def rate_bars(groups: dict[str, dict[str, float]], path: Path, ylabel: str) -> None:
    """Grouped bars: `groups[bar][group]`, for example arms over pixels per module."""
    names = list(dict.fromkeys(group for values in groups.values() for group in values))
    figure, axes = plt.subplots(figsize=(max(6.0, 1.2 * len(names)), 4))
    width = 0.8 / max(1, len(groups))
    for i, (bar, values) in enumerate(groups.items()):
        offsets = np.arange(len(names)) + (i - (len(groups) - 1) / 2) * width
        axes.bar(offsets, [values.get(name, 0.0) for name in names], width, label=bar)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set(ylabel=ylabel, ylim=(0, 1))
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=8)
    _save(figure, path)


def _save(figure: Any, path: Path, *, tight: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No date in the file, so that the same figures give the same bytes.
    figure.savefig(path, dpi=_DPI, bbox_inches="tight" if tight else None, metadata={"Software": None})
    plt.close(figure)
