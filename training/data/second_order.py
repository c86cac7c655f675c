"""Real-ESRGAN's degradation model: blur, resizing, noise and JPEG, twice, and a last sinc filter.

Wang et al. 2021 (arXiv:2107.10833), figure 2: one pass is equation (1), a chain of two equation (5), the sinc filter
equation (6). Works on batches of one or three channels, on any device.
"""

import numpy as np
import torch
from torch import Tensor

from training.data import jpeg, kernels
from training.data.config import PassConfig, SecondOrderConfig
from training.data.noise import add_noise

_MODES = ("area", "bilinear", "bicubic")
_GROUP = 4
"""Samples that share the sizes and kernels of resizing, so that they stay one tensor; the rest is drawn for each."""


def degrade_twice(
    pictures: Tensor,
    config: SecondOrderConfig,
    margin: int,
    rng: np.random.Generator,
    noise: torch.Generator,
    shifted: float = 0.0,
) -> Tensor:
    """LR `(N, C, h, w)` in [0, 1], of 256 levels, of HR `(N, C, 4 (h + 2 margin), 4 (w + 2 margin))`.

    `margin` LR pixels are cut from every side at the end, so that no border of a filter is visible. `noise` is on the
    device of `pictures`. If JPEG is the last step, `shifted` is the share of samples with its 8x8 blocks at any offset.
    """
    groups = torch.split(pictures, _GROUP)
    return torch.cat([_second_order(group, config, margin, rng, noise, shifted) for group in groups])


def degrade_once(
    pictures: Tensor,
    config: SecondOrderConfig,
    margin: int,
    rng: np.random.Generator,
    noise: torch.Generator,
    shifted: float = 0.0,
) -> Tensor:
    """The classical model, equation (1): the first pass with a reduction to the size of LR; see `degrade_twice`."""
    made = []
    for group in torch.split(pictures, _GROUP):
        blurred = _blurred(group, config.first, rng)
        lr = add_noise(_resized(blurred, _lr_shape(group), rng), config.first, rng, noise)
        made.append(_compressed(_cut(lr, margin), config.first, rng, shifted))
    return torch.cat(made)


def _second_order(
    images: Tensor,
    config: SecondOrderConfig,
    margin: int,
    rng: np.random.Generator,
    noise: torch.Generator,
    shifted: float,
) -> Tensor:
    lr = _lr_shape(images)
    images = _resized(
        _blurred(images, config.first, rng), _scaled(images.shape, config.first, rng), rng
    )  # fmt: skip
    images = _compressed(add_noise(images, config.first, rng, noise), config.first, rng)
    images = _resized(_blurred(images, config.second, rng), _scaled(lr, config.second, rng), rng)
    images = add_noise(images, config.second, rng, noise)
    ringing = kernels.draw_sinc(config.final_sinc, len(images), rng, images.device)
    if rng.random() < 0.5:
        images = _filtered(_resized(images, lr, rng), ringing)
        return _compressed(_cut(images, margin), config.second, rng, shifted)
    images = _resized(_compressed(images, config.second, rng), lr, rng)
    return (_cut(_filtered(images, ringing), margin) * 255).round() / 255


def _lr_shape(images: Tensor) -> tuple[int, int]:
    return images.shape[-2] // 4, images.shape[-1] // 4


def _scaled(shape: tuple[int, ...], config: PassConfig, rng: np.random.Generator) -> tuple[int, int]:
    """Height and width, the last two of `shape`, after a random enlargement, reduction, or neither."""
    low, high = config.resize
    kind = rng.choice(3, p=np.array(config.resize_shares) / sum(config.resize_shares))
    factor = (rng.uniform(1, high), rng.uniform(low, 1), 1.0)[kind]
    # The kernels need at least eight pixels.
    return max(8, round(shape[-2] * factor)), max(8, round(shape[-1] * factor))


def _resized(images: Tensor, shape: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Resized with a random kernel, without anti-aliasing, as in the published training."""
    mode = _MODES[rng.integers(len(_MODES))]
    return torch.nn.functional.interpolate(images, shape, mode=mode).clamp(0, 1)


def _blurred(images: Tensor, config: PassConfig, rng: np.random.Generator) -> Tensor:
    return _filtered(images, kernels.draw(config.blur, len(images), rng, images.device))


def _filtered(images: Tensor, kernel: Tensor) -> Tensor:
    return kernels.apply(images, kernel).clamp(0, 1)


def _compressed(images: Tensor, config: PassConfig, rng: np.random.Generator, shifted: float = 0.0) -> Tensor:
    quality = rng.uniform(*config.jpeg_quality, len(images)).astype(np.float32)
    shift = (int(rng.integers(8)), int(rng.integers(8))) if rng.random() < shifted else (0, 0)
    return jpeg.compress(images, torch.from_numpy(quality).to(images.device), shift)


def _cut(images: Tensor, margin: int) -> Tensor:
    return images[:, :, margin:-margin, margin:-margin] if margin else images
