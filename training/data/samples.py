"""Samples: an LR crop, its HR target, the weights of the target's pixels, and the geometry between them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d

from training.data import degradation, scene
from training.data.config import DataConfig, SceneConfig
from training.data.geometry import Placement, place
from training.data.symbols import MAX_SIZE, SymbolBank, build_bank, size_of
from training.data.textures import make_textures
from training.data.unsharp import unsharp
from training.losses.config import LossConfig


@dataclass
class Samples:
    """N samples. Images are `(N, C, H, W)`, C 1 for luma or 3 for RGB, on the training device."""

    lr: Tensor
    """`float32` in [0, 1]."""
    target: Tensor
    """`uint8`, four times as wide and high, 255 times the value: the clean symbol for synthetic data."""
    aim: Tensor
    """`uint8`, shaped like `target`: the target of the logits, which is the clean symbol, mixed with a teacher's
    probabilities if there is a teacher."""
    picture: Tensor
    """`uint8`, shaped like `target`: the target of the picture output, as `data.picture` says."""
    weight: Tensor
    """`(N, 1, H, W) uint8`: the weight of each target pixel times `WEIGHT_SCALE`."""
    modules: Tensor
    """`(N, M, M) uint8`, 1 for dark; each symbol is in the corner of a matrix of zeros."""
    version: Tensor
    """`(N,) int64`; 0 if no symbol is known, as in pictures from a folder."""
    pixel_to_module: Tensor
    """`(N, 3, 3) float64`, see `training.data.geometry.Placement`."""
    bend: Tensor
    """`(N, 2) float64`, see there."""

    def __len__(self) -> int:
        return len(self.lr)

    def select(self, index: Tensor) -> "Samples":
        """The samples at `index` `(K,) int64`, in that order."""
        return Samples(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    @staticmethod
    def concatenate(parts: list["Samples"]) -> "Samples":
        """All samples of several sets, in order."""
        return Samples(
            *(torch.cat([getattr(part, name) for part in parts]) for name in Samples.__dataclass_fields__)
        )


WEIGHT_SCALE = 40
"""Steps of a weight of 1 in `Samples.weight`; weights up to 6.3 fit."""


@dataclass(frozen=True)
class Materials:
    """The materials of scenes: expensive to make, so made once and shared."""

    bank: SymbolBank
    textures: Tensor
    """`(T, 1, K, K) float32` in [0, 1], on the rendering device."""

    @staticmethod
    def make(config: DataConfig, device: torch.device, cache: Path | None = None) -> "Materials":
        """Symbols and surroundings as configured; symbols are kept in the folder `cache`."""
        textures = torch.from_numpy(make_textures(config.textures, config.seed)).to(device)
        return Materials(build_bank(config.symbols, config.seed, cache), textures)


Teaching = Callable[[Tensor], Tensor]
"""From crops `(N, C, h, w)` in [0, 1] to probabilities `(N, C, 4h, 4w)`."""


class SampleSource:
    """Makes any chunk of samples from its number alone, so that a run can resume at any step."""

    def __init__(
        self,
        config: DataConfig,
        loss: LossConfig,
        materials: Materials,
        device: torch.device,
        teacher: Teaching | None = None,
    ) -> None:
        """`teacher` gives probabilities `(N, C, 4h, 4w)` for crops `(N, C, h, w)`; None for clean symbols alone."""
        self._teacher = teacher
        self._config, self._loss, self._device = config, loss, device
        self._bank, self._textures = materials.bank, materials.textures

    def chunk(self, number: int, count: int | None = None) -> Samples:
        """Chunk `number` of `count` samples, `config.chunk` by default; equal numbers give equal samples."""
        rng = np.random.default_rng([self._config.seed, 0xC4, number])
        noise = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        count = count or self._config.chunk
        chosen = rng.integers(0, len(self._bank), count)
        versions = self._bank.version[chosen].astype(np.int64)
        sizes = size_of(1) + 4 * (versions - 1)
        ppm = draw_px_per_module(self._config.scene, count, rng)
        hr_size = 4 * self._config.lr_size
        placement = place(self._config.scene, sizes, ppm, hr_size, rng)
        modules = np.zeros((count, MAX_SIZE, MAX_SIZE), np.uint8)
        for row, index in enumerate(chosen):
            matrix = self._bank.modules(int(index))
            # Mirrored symbols occur, for example on glass or with selfie cameras.
            modules[row, : len(matrix), : len(matrix)] = matrix.T if rng.random() < 0.03 else matrix
        return self._render(modules, versions, sizes, placement, hr_size, rng, noise)

    def _render(
        self,
        modules: NDArray[np.uint8],
        versions: NDArray[np.int64],
        sizes: NDArray[np.int64],
        placement: Placement,
        hr_size: int,
        rng: np.random.Generator,
        noise: torch.Generator,
    ) -> Samples:
        config, device = self._config, self._device
        packed = torch.from_numpy(modules).to(device)
        look = scene.draw_look(config.scene, len(sizes), len(self._textures), rng)
        rendered = scene.render(
            packed.float(),
            torch.from_numpy(sizes.astype(np.float32)).to(device),
            placement,
            look,
            self._textures,
            self._loss,
            hr_size,
            degradation.MARGIN,
        )
        # Symbols are grey; only noise and compression add colour.
        picture, target = (
            image.expand(-1, config.channels, -1, -1) for image in (rendered.picture, rendered.target)
        )
        shown = (
            soft_edged(picture, config.scene_blur, degradation.MARGIN)
            if config.picture == "scene"
            else target
        )
        lr = degradation.degrade(picture, placement.px_per_module, config.degradation, rng, noise)
        clean = reproduced(target, config)
        aim = clean
        if self._teacher:
            # For kinds of pictures added after its training, a teacher knows less than the clean symbol.
            share = torch.from_numpy(look.familiar() * np.float32(config.teacher_share)).to(device)
            aim = torch.lerp(clean, self._teacher(lr), share[:, None, None, None])
        return Samples(
            lr=lr,
            target=(clean * 255).round().to(torch.uint8),
            aim=(aim * 255).round().to(torch.uint8),
            picture=(reproduced(shown, config) * 255).round().to(torch.uint8),
            weight=(rendered.weight * WEIGHT_SCALE).round().clamp(0, 255).to(torch.uint8),
            modules=packed,
            version=torch.from_numpy(versions).to(device),
            pixel_to_module=torch.from_numpy(placement.pixel_to_module).to(device),
            bend=torch.from_numpy(placement.bend).to(device),
        )


def soft_edged(pictures: Tensor, sigma: float, margin: int) -> Tensor:
    """`pictures (N, C, H, W)` blurred by a Gaussian of `sigma` pixels, without their `margin`.

    A lens never gives edges as hard as the renderer. A discriminator could recognise a picture by hard edges alone.
    """
    if sigma:
        reach = int(4 * sigma) + 1
        taps = torch.exp(-(torch.arange(-reach, reach + 1, device=pictures.device) ** 2) / (2 * sigma**2))
        taps = (taps / taps.sum()).expand(pictures.shape[1], 1, 1, -1)
        channels = pictures.shape[1]
        pictures = conv2d(pictures, taps, padding=(0, reach), groups=channels)
        pictures = conv2d(pictures, taps.transpose(2, 3), padding=(reach, 0), groups=channels)
    inner = slice(margin, -margin)
    return pictures[:, :, inner, inner]


def reproduced(hr: Tensor, config: DataConfig) -> Tensor:
    """The target of the generator: `hr (N, C, H, W)` in [0, 1], sharpened if the configuration says so."""
    return unsharp(hr) if config.sharpen_target else hr


def draw_px_per_module(config: SceneConfig, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`(count,)` LR pixels per module."""

    def drawn(low: float, high: float) -> NDArray[np.float64]:
        return np.exp(rng.uniform(np.log(low), np.log(high), count))

    wide, hard = drawn(*config.px_per_module), drawn(*config.hard_px_per_module)
    sizes = np.where(rng.random(count) < config.hard_share, hard, wide)
    if config.large_share:
        large = drawn(*config.large_px_per_module)
        sizes = np.where(rng.random(count) < config.large_share, large, sizes)
    return sizes
