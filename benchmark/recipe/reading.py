"""Read rates of several generators on a small fixed set, with the benchmark's crops, readers and judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.comparison.arms import Arm
from benchmark.comparison.farm import run_all
from benchmark.comparison.readers import SOFT
from benchmark.comparison.results import Results, collect
from benchmark.comparison.upscalers import UpscalerSpec
from benchmark.comparison.workbench import Setup
from benchmark.sets.sweep import SweepItem

CELLS = (("camera", 1.2), ("camera", 1.6), ("jpeg-10", 1.6))
"""Families of the benchmark with LR pixels per module, neither hopeless nor easy."""
COUNT = 18
"""Symbols of each cell: two of each QR version from 2 to 10."""
WECHAT = "wechat"
_SEED = 40
"""Seed that draws other symbols than the benchmark's published set."""


@dataclass(frozen=True)
class Reading:
    """Results of one generator, over all cells."""

    wechat: float
    """Share of the enlarged crops that WeChat reads."""
    soft: float
    """Share that the soft-decision reader reads from the logits, without a calibration."""
    misread: int
    """Wrong payloads of both readers together."""


def read_all(
    models: Mapping[str, Path], wechat: Path, out: Path, *, count: int = COUNT, jobs: int = 1
) -> dict[str, Reading]:
    """Read rates of the same crops enlarged by each of `models`, ONNX files by name."""
    arms = [Arm("lr", name, reader) for name in models for reader in (WECHAT, SOFT)]
    items = [
        SweepItem(family, index, px, _SEED, tuple(arms)) for family, px in CELLS for index in range(count)
    ]
    upscalers = tuple(UpscalerSpec.generator(path, name) for name, path in models.items())
    taken = run_all(items, Setup((WECHAT, SOFT), upscalers, wechat), jobs, "read")
    results = collect("paper", "python -m benchmark recipe", _SEED, {}, items, taken, out, {})
    return {name: _reading(results, name) for name in models}


def _reading(results: Results, name: str) -> Reading:
    wechat, soft = (Arm("lr", name, reader) for reader in (WECHAT, SOFT))
    return Reading(
        float(results.read(wechat).mean()),
        float(results.read(soft).mean()),
        results.wrong(wechat) + results.wrong(soft),
    )
