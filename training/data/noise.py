"""Gaussian and Poisson noise, grey and coloured, on batches (Wang et al. 2021, section 3.1)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.config import PassConfig
from training.data.jpeg import LUMA

PHOTONS = 256.0
"""Mean count at white of Poisson noise of strength 1."""


def add_noise(
    images: Tensor, config: PassConfig, rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    """`(N, C, H, W)` in [0, 1] with the noise that `config` draws for each sample, clipped.

    Coloured noise is independent in red, green and blue. A picture of one channel represents a grey scene that was
    taken in colour and then reduced to luma, so its noise is the luma of coloured noise.
    """
    count = len(images)
    gaussian = rng.random(count) < config.gaussian_noise
    grey = rng.random(count) < config.grey_noise
    sigma = rng.uniform(*config.noise_sigma, count) / 255
    scale = rng.uniform(*config.poisson_scale, count)
    noisy = torch.empty_like(images)
    for chosen, kind, strength in ((gaussian, gaussian_noise, sigma), (~gaussian, poisson_noise, scale)):
        if not chosen.any():
            continue
        index = torch.from_numpy(np.flatnonzero(chosen)).to(images.device)
        part = images[index]
        strengths, greys = _column(strength[chosen], images), _column(grey[chosen], images)
        noisy[index] = part + kind(part, strengths, greys, generator)
    return noisy.clamp(0, 1)


def gaussian_noise(images: Tensor, sigma: Tensor, grey: Tensor, generator: torch.Generator) -> Tensor:
    """Zero-mean noise of standard deviation `sigma`, shaped like `images`.

    `sigma` and `grey` are `(N, 1, 1, 1)`; with `grey` 1 all channels have the same noise, with 0 each its own.
    """
    count, channels, height, width = images.shape
    drawn = torch.randn((count, 4, height, width), generator=generator, device=images.device)
    return sigma * _mixed(drawn[:, :1], drawn[:, 1:], grey, channels)


def poisson_noise(images: Tensor, scale: Tensor, grey: Tensor, generator: torch.Generator) -> Tensor:
    """`scale` times the deviation of a photon count from its mean, which is `PHOTONS` times the signal.

    Arguments as for `gaussian_noise`; grey noise is that of the luma.
    """
    channels = images.shape[1]
    signal = images.clamp(0, 1)
    luma = signal if channels == 1 else (signal * LUMA.to(images)).sum(1, keepdim=True)
    colour = signal.expand(-1, 3, -1, -1)
    deviation = [
        torch.poisson(part * PHOTONS, generator=generator) / PHOTONS - part for part in (luma, colour)
    ]
    return scale * _mixed(deviation[0], deviation[1], grey, channels)


def _mixed(grey_noise: Tensor, colour_noise: Tensor, grey: Tensor, channels: int) -> Tensor:
    """Grey or coloured noise, reduced to luma if the picture has one channel."""
    if channels == 1:
        colour_noise = (colour_noise * LUMA.to(colour_noise)).sum(1, keepdim=True)
    return torch.where(grey > 0, grey_noise, colour_noise)


def _column(values: NDArray[np.generic], like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(like.device)[:, None, None, None]
