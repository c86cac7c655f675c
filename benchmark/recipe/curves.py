"""Training curves of both phases, from the logs of their runs."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from training.errors import TrainingError
from training.runlog import LOSSES

mpl.use("Agg")

from matplotlib import pyplot as plt

Log = list[dict[str, float]]
_SMOOTHED = 5
"""Logged steps that a curve averages; single steps are drawn pale."""


def read(run: Path) -> Log:
    """The scalars of a run, one entry for each line of its log.

    Raises:
        TrainingError: there is no log.
    """
    path = run / LOSSES
    if not path.is_file():
        raise TrainingError(f"{path}: no such log; `python -m training train` writes it")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def draw(psnr: Log, gan: Log, path: Path) -> None:
    """Four panels: loss of the first phase; parts of the generator's loss; losses of both networks; discriminator's
    logits."""
    figure, panels = plt.subplots(1, 4, figsize=(13, 3.2))
    _curve(panels[0], psnr, "l1", "L1")
    panels[0].set(title="first phase")
    weighted = ("l1", "perceptual", "cross_entropy", "binary_pattern")
    for name in weighted:
        if name in gan[0]:
            _curve(panels[1], gan, name, name.replace("_", " "), relative=True)
    panels[1].set(title="second phase: parts, first = 1")
    _curve(panels[2], gan, "adversarial", "generator, equation (4)")
    _curve(panels[2], gan, "d_loss", "discriminator, equations (2), (3)")
    panels[2].set(title="second phase: the game")
    _curve(panels[3], gan, "d_hr", "on HR")
    _curve(panels[3], gan, "d_sr", "on SR")
    panels[3].set(title="discriminator's mean logit")
    for panel in panels:
        panel.set(xlabel="step")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=7)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _curve(panel: Any, log: Log, name: str, label: str, *, relative: bool = False) -> None:
    steps = np.array([line["step"] for line in log])
    values = np.array([line[name] for line in log])
    if relative:
        values = values / values[0]
    width = min(_SMOOTHED, len(values))
    smooth = np.convolve(values, np.ones(width) / width, mode="valid")
    (line,) = panel.plot(steps[width // 2 : width // 2 + len(smooth)], smooth, linewidth=1.3, label=label)
    panel.plot(steps, values, linewidth=0.6, alpha=0.3, color=line.get_color())
