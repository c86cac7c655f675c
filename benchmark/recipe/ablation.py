"""The ablation: the same short training with each part of the recipe removed in turn, and the resulting read rates."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmark.comparison.upscalers import UpscalerSpec, build_upscaler
from benchmark.recipe.fidelity import PICTURES, Fidelity, fidelity, unseen
from benchmark.recipe.reading import COUNT, Reading, read_all
from training import checkpoint as checkpoints
from training.config import TrainingConfig, parse
from training.export import generator_of, rewrite_onnx, write_onnx
from training.train import train

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


@dataclass(frozen=True)
class Variant:
    """One training: a configuration file and the changes to it."""

    name: str
    file: str
    changes: Mapping[str, Any]
    """By section, as in the file."""

    def config(self, *, short: bool = False) -> TrainingConfig:
        """The changed configuration; a `short` one takes two steps on a handful of symbols."""
        data = tomllib.loads((CONFIGS / self.file).read_text(encoding="utf-8"))
        data = _changed(data, self.changes)
        return parse(_changed(data, _SHORT) if short else data, self.name)


_SHORT = {"optimiser": {"steps": 2}, "data": {"pool": 4, "symbols": {"count": 40}}}
_SEEING = {"loss": {"perceptual": 0.01}, "optimiser": {"steps": 60}}
WHOLE, BEFORE = "whole, without perceptual loss", "with perceptual loss, before activation"
VARIANTS = (
    Variant(WHOLE, "ablation.toml", {}),
    Variant("standard GAN", "ablation.toml", {"adversarial": {"kind": "standard"}}),
    Variant("no binary pattern constraint", "ablation.toml", {"loss": {"binary_pattern": 0.0}}),
    Variant("no average of weights", "ablation.toml", {"optimiser": {"ema_decay": 0.0}}),
    Variant("first-order degradation", "ablation.toml", {"data": {"degradation": {"kind": "first_order"}}}),
    Variant("targets not sharpened", "ablation.toml", {"data": {"sharpen_target": False}}),
    Variant("plain discriminator", "ablation.toml", {"discriminator": {"kind": "vgg"}}),
    Variant(BEFORE, "ablation.toml", _SEEING),
    Variant(
        "with perceptual loss, after activation",
        "ablation.toml",
        _SEEING | {"perceptual": {"before_activation": False}},
    ),
    Variant("srresnet, no batch norm", "srresnet.toml", {}),
    Variant("srresnet, batch norm kept", "srresnet.toml", {"generator": {"batch_norm": True}}),
    Variant("rrdb", "rrdb.toml", {}),
)
"""VGG19 takes most of a step on a CPU, so only one pair has the perceptual loss, with fewer steps. Batch norm cannot be
added to trained weights, so its pair starts from random weights. `rrdb` shows that it learns."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    steps: int
    seconds: float
    """Wall-clock time of the training."""
    fidelity: Fidelity
    reading: Reading


def run(
    variants: Iterable[Variant],
    beside: Mapping[str, Path],
    out: Path,
    wechat: Path,
    cache: Path,
    *,
    count: int = COUNT,
    short: bool = False,
    jobs: int = 1,
) -> list[Row]:
    """Train every variant into a folder under `out` and measure it, together with the initial generators and the graphs
    `beside`, by name.

    A finished training is not repeated; an interrupted one continues. `count` is the number of crops of each kind to
    read. `short` checks in seconds that everything works; its results mean nothing.
    """
    models = dict(beside)
    graphs: dict[str, Path] = {}
    trained: dict[str, checkpoints.Checkpoint] = {}
    for variant in variants:
        folder = out / variant.name.replace(",", "").replace("'", "").replace(" ", "-")
        config = variant.config(short=short)
        initial = config.run.initial
        if initial is not None:
            models.setdefault(f"start: {initial.parts[-3]}/{initial.parts[-2]}", initial)
        tqdm.write(variant.name)
        trained[variant.name] = state = checkpoints.load(_trained(config, folder, cache))
        models[variant.name] = folder / "model.onnx"
        generator = generator_of(state)
        shape = config.generator.model_dump_json()
        if shape in graphs:
            rewrite_onnx(graphs[shape], generator, models[variant.name])
        else:
            write_onnx(generator, models[variant.name])
            graphs[shape] = models[variant.name]
    pictures = unseen(1 if short else PICTURES, cache)
    readings = read_all(models, wechat, out, count=1 if short else count, jobs=jobs)
    rows = []
    for name, path in models.items():
        state_of = trained.get(name)
        rows.append(
            Row(
                name,
                state_of.step if state_of else 0,
                round(state_of.seconds, 1) if state_of else 0.0,
                fidelity(build_upscaler(UpscalerSpec.generator(path)), pictures, natural=False),
                readings[name],
            )
        )
    return rows


def _trained(config: TrainingConfig, folder: Path, cache: Path) -> Path:
    last = folder / "last.pt"
    if not last.is_file():
        return train(config, folder, cache=cache)
    state = checkpoints.load(last)
    if state.step >= config.optimiser.steps and state.training_config() == config:
        return last
    return train(config, folder, resume=last, cache=cache)


def _changed(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(data)
    for name, value in changes.items():
        old = merged.get(name)
        merged[name] = (
            _changed(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
        )
    return merged
