"""Plots of the soft-decision reader's measurements."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmark.figures.statistics import wilson

mpl.use("Agg")

from matplotlib import pyplot as plt

_DPI = 80


def stages(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Read rate against pixels per module: the true grid, the reader, and others; one panel a degradation."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure, panels = plt.subplots(1, len(kinds), figsize=(3.6 * len(kinds), 3.6), sharey=True, squeeze=False)
    for panel, kind in zip(panels.flat, kinds, strict=True):
        chosen = [row for row in rows if row["kind"] == kind]
        axis = [row["px"] for row in chosen]
        curves = {
            "soft, true grid": [row["true_grid"] for row in chosen],
            "soft": [row["read"] for row in chosen],
        }
        curves |= {name: [row["others"][name] for row in chosen] for name in chosen[0]["others"]}
        for name, counts in curves.items():
            found = [wilson(count, row["symbols"]) for count, row in zip(counts, chosen, strict=True)]
            values = np.array([(one.value, one.low, one.high) for one in found])
            style = {"linestyle": "--", "color": "0.4"} if "true" in name else {}
            (line,) = panel.plot(axis, values[:, 0], marker=".", label=name, **style)
            if name == "soft":
                panel.fill_between(axis, values[:, 1], values[:, 2], alpha=0.15, color=line.get_color())
        panel.set_title(kind.replace("jpeg-", "JPEG "), fontsize=10)
        panel.set_xlabel("pixels per module")
        panel.set_ylim(0, 1)
        panel.grid(alpha=0.3)
    panels[0, 0].set_ylabel("share read")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", ncols=3, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.86))
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)


def reliability(bins: Sequence[dict[str, Any]], table: dict[str, list[float]], path: Path) -> None:
    """Share of wrong modules against the size of the logit, with the predictions of the logit itself and of the
    table."""
    figure, axes = plt.subplots(figsize=(6, 4))
    sizes = np.array([row["mean"] for row in bins])
    found = [wilson(row["wrong"], row["modules"]) for row in bins]
    measured = np.array([max(one.value, 1e-6) for one in found])
    errors = [[max(one.value - one.low, 0) for one in found], [one.high - one.value for one in found]]
    axes.errorbar(sizes, measured, yerr=errors, fmt="o", label="measured, with 95 % interval")
    axis = np.linspace(0, float(sizes.max()), 200)
    axes.plot(axis, 1 / (1 + np.exp(axis)), color="0.6", label="if a mean logit were a log-likelihood ratio")
    ratios = np.interp(axis, table["logit"], table["llr"])
    axes.plot(axis, 1 / (1 + np.exp(ratios)), color="tab:orange", label="the table in the manifest")
    axes.set_yscale("log")
    axes.set(xlabel="size of the mean logit of a module", ylabel="share of wrong modules", ylim=(1e-5, 1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)
