"""The picture of docs/performance.md: where a request's time goes."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

STAGES = {
    "http": ("socket, HTTP, event loop", "0.75"),
    "application": ("routing, answer", "0.55"),
    "upload": ("multipart", "tab:brown"),
    "wait": ("room and turn", "tab:pink"),
    "decode_image": ("image decoding", "tab:orange"),
    "read_upload": ("readers on the upload", "tab:green"),
    "queue": ("engine's queue", "tab:red"),
    "inference": ("generator", "tab:blue"),
    "upscale": ("cutting, quantising", "tab:cyan"),
    "read_upscaled": ("readers on the ×4 image", "tab:olive"),
    "encode": ("image encoding", "tab:purple"),
}
"""Stages in their order, with their label and colour."""


def plot(bars: dict[str, dict[str, float]], path: Path, taken: str) -> None:
    """A stacked bar for each kind of request; `taken` describes the milliseconds."""
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.55 * len(bars)))
    names = list(bars)[::-1]
    left = [0.0] * len(names)
    for stage, (label, colour) in STAGES.items():
        widths = [bars[name].get(stage, 0.0) for name in names]
        if any(widths):
            axes.barh(names, widths, left=left, color=colour, label=label, height=0.65)
            left = [start + width for start, width in zip(left, widths, strict=True)]
    for at, whole in enumerate(left):
        axes.text(whole + max(left) * 0.008, at, f"{whole:.1f}", va="center", fontsize=9)
    axes.set(xlabel=f"milliseconds of a request alone ({taken})", xlim=(0, max(left) * 1.08))
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.set_layout_engine("constrained")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    plt.close(figure)
