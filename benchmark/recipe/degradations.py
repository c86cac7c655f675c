"""A sheet with the effect of each degradation alone on one symbol, and of whole chains."""

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from training.data import jpeg, kernels
from training.data.config import DataConfig, DegradationConfig, SymbolConfig
from training.data.degradation import MARGIN, degrade
from training.data.noise import gaussian_noise, poisson_noise
from training.data.symbols import build_bank
from training.data.unsharp import unsharp

mpl.use("Agg")

from matplotlib import pyplot as plt

Panel = tuple[str, Tensor]
"""Title, and a picture `(C, h, w)` in [0, 1]."""
_COLUMNS = 7
_SHOWN = 96
"""Side in HR pixels of the visible part of a picture; LR has a quarter of it."""
_PX_PER_MODULE = 1.75
"""LR pixels per module."""


def panels() -> list[Panel]:
    """Each degradation at a visible strength, and the whole chains as drawn for training."""
    hr = _symbol()
    made: list[Panel] = [("HR", _cut(hr)), ("HR, USM-sharpened", _cut(unsharp(hr)))]
    made += [(name, _cut(kernels.apply(hr, kernel))) for name, kernel in _kernels().items()]
    lr = interpolate(hr, scale_factor=0.25, mode="area")
    for name, factor in (("enlarged", 1.5), ("reduced", 0.5)):
        for mode in ("area", "bilinear", "bicubic"):
            there = interpolate(lr, scale_factor=factor, mode=mode)
            made.append((f"LR {name}, {mode}", _cut_lr(interpolate(there, lr.shape[-2:], mode=mode))))
    colour = lr.expand(-1, 3, -1, -1)
    noise = torch.Generator().manual_seed(1)
    for name, grey in (("grey", 1.0), ("colour", 0.0)):
        whether = torch.full((1, 1, 1, 1), grey)
        strong = torch.full((1, 1, 1, 1), 25 / 255), torch.full((1, 1, 1, 1), 2.5)
        made += [
            (f"Gaussian noise, {name}", _cut_lr(colour + gaussian_noise(colour, strong[0], whether, noise))),
            (f"Poisson noise, {name}", _cut_lr(colour + poisson_noise(colour, strong[1], whether, noise))),
        ]
    made += [
        (f"JPEG {quality:g}", _cut_lr(jpeg.compress(lr, torch.tensor([quality])))) for quality in (80.0, 30.0)
    ]
    for kind, title in (
        ("bicubic", "preset bicubic"),
        ("jpeg_10", "preset jpeg_10"),
        ("first_order", "first_order"),
        ("second_order", "second_order"),
        ("camera", "camera"),
    ):
        config = DegradationConfig.model_validate({"kind": kind})
        for seed in (0,) if "preset" in title else (1, 2, 3):
            rng, again = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
            done = degrade(hr, np.array([_PX_PER_MODULE]), config, rng, again)
            made.append((title, _cut_lr(done)))
    return made


def draw(path: Path) -> None:
    """Write the sheet, PNG."""
    shown = panels()
    rows = -(-len(shown) // _COLUMNS)
    figure, places = plt.subplots(rows, _COLUMNS, figsize=(1.75 * _COLUMNS, 1.95 * rows))
    for place in places.flat:
        place.axis("off")
    for (title, picture), place in zip(shown, places.flat, strict=False):
        pixels = picture.clamp(0, 1).numpy().transpose(1, 2, 0)
        place.imshow(pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=1)
        place.set_title(title, fontsize=8)
    figure.tight_layout(pad=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _kernels() -> dict[str, Tensor]:
    """One kernel of each kind, in HR pixels."""
    round_, long = torch.tensor([[2.2, 2.2]]), torch.tensor([[4.0, 1.0]])
    turn, beta, flat = torch.tensor([0.7]), torch.tensor([0.6]), torch.tensor([1.6])
    return {
        "isotropic Gaussian": kernels.gaussian(round_, turn),
        "anisotropic Gaussian": kernels.gaussian(long, turn),
        "generalised, isotropic": kernels.gaussian(round_, turn, beta),
        "generalised, anisotropic": kernels.gaussian(long, turn, beta),
        "plateau, isotropic": kernels.plateau(round_, turn, flat),
        "plateau, anisotropic": kernels.plateau(long, turn, flat),
        "sinc: ringing, overshoot": kernels.sinc(torch.tensor([math.pi / 4])),
    }


def _symbol() -> Tensor:
    """`(1, 1, H, W)`: a clean symbol on white, with the margin that degradations need."""
    config = DataConfig(symbols=SymbolConfig(count=1, versions=(2, 2)))
    modules = build_bank(config.symbols, 1).modules(0)
    side = 4 * 48
    light = torch.from_numpy(1 - np.pad(modules, 4)).float()[None, None]
    zoom = 4 * _PX_PER_MODULE * light.shape[-1] / side
    picture = interpolate(light, size=round(side * zoom), mode="nearest")
    edge = side + 2 * MARGIN
    missing = max(0, edge - picture.shape[-1])
    padded = torch.nn.functional.pad(picture, (0, missing, 0, missing), value=1.0)
    return padded[:, :, :edge, :edge]


def _cut(hr: Tensor) -> Tensor:
    return hr[0, :, MARGIN : MARGIN + _SHOWN, MARGIN : MARGIN + _SHOWN]


def _cut_lr(lr: Tensor) -> Tensor:
    """The same part of LR, with or without the margin."""
    start = 0 if lr.shape[-1] == 48 else MARGIN // 4
    return lr[0, :, start : start + _SHOWN // 4, start : start + _SHOWN // 4]
