"""Logits of a real generator on synthetic scenes, with the true grid of every symbol."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model_store import contract
from scoring.generator import session_of
from scoring.known_symbols import Simulated
from training.data.config import DataConfig, DegradationConfig, SceneConfig, SymbolConfig
from training.data.geometry import Placement
from training.data.presets import jpeg_only, upright_scene
from training.data.samples import Materials, SampleSource
from training.data.symbols import size_of
from training.losses.config import LossConfig


@dataclass(frozen=True)
class Generated:
    """One symbol through the generator."""

    truth: Simulated
    lr: NDArray[np.uint8]
    """`(h, w)` luma that the generator was given."""
    sr: NDArray[np.uint8]
    """`(4h, 4w)` luma that it gave."""


KINDS = ("camera", "jpeg50", "jpeg10")
_CHUNK = 16


def whole_symbols(
    model: Path, kind: str, px_per_module: float, count: int, seed: int, cache: Path | None = None
) -> Iterator[Generated]:
    """`count` symbols of versions 1 to 10, each wholly in its picture, through the generator `model` (ONNX).

    `kind` is `camera`, which has all effects of the training, or `jpeg50` or `jpeg10`, which are upright, flat and
    compressed once. `modules` are as they appear, so those of a mirrored symbol are transposed.
    """
    session = session_of(model, 1)
    scene, degradation = _kind(kind)
    data = DataConfig(
        seed=seed,
        lr_size=128,
        symbols=SymbolConfig(count=300, versions=(1, 10)),
        scene=scene.model_copy(update={"px_per_module": (px_per_module, px_per_module), "hard_share": 0.0}),
        degradation=degradation,
    )
    device = torch.device("cpu")
    source = SampleSource(data, LossConfig(), Materials.make(data, device, cache), device)
    made = number = 0
    while made < count:
        samples = source.chunk(number, _CHUNK)
        number += 1
        placement = Placement(samples.pixel_to_module.numpy(), samples.bend.numpy(), np.zeros(len(samples)))
        for i, lr in enumerate(samples.lr.numpy()):
            n = size_of(int(samples.version[i]))
            rows, columns = np.mgrid[0:n, 0:n]
            corners = placement.pixels_at(i, np.array([[0.0, 0.0], [n, 0.0], [n, n], [0.0, n]]), n)
            if made == count or corners.min() < 0 or corners.max() > 4 * data.lr_size:
                continue
            made += 1
            centres = placement.pixels_at(i, np.column_stack([columns.ravel(), rows.ravel()]) + 0.5, n) - 0.5
            logits, sr = session.run(["logits", "sr"], {"lr": lr[None]})
            modules = samples.modules[i, :n, :n].numpy().astype(bool)
            truth = Simulated(np.asarray(logits)[0, 0], modules, centres.reshape(n, n, 2))
            yield Generated(truth, contract.quantise(lr[0]), contract.quantise(np.asarray(sr)[0, 0]))


def _kind(kind: str) -> tuple[SceneConfig, DegradationConfig]:
    if kind == "camera":
        return SceneConfig(), DegradationConfig()
    return upright_scene(), jpeg_only(int(kind[4:]))
