"""Blur kernels of Real-ESRGAN's degradation model, on batches (Wang et al. 2021, arXiv:2107.10833).

A kernel is `(N, SIZE, SIZE) float32`, sums to one, and its centre is the middle pixel.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.config import BlurConfig

SIZE = 21
"""Pixels along a side of every kernel; smaller ones are surrounded by zeros."""
REACH = SIZE // 2
_RADII = (3, 11)
"""Half widths, without the upper bound: kernels are 7, 9, ... 21 pixels wide, as published."""


def gaussian(sigma: Tensor, turn: Tensor, beta: Tensor | None = None) -> Tensor:
    """Anisotropic Gaussians, 1/N exp(-(C' S^-1 C)^beta / 2) with C = (x, y)', S = R diag(sigma^2) R' (equations 2-4).

    `sigma` is `(N, 2)` pixels along and across the direction `turn`, `(N,)` radians; equal ones are isotropic.
    `beta` `(N,)` other than 1 gives the generalised Gaussian of section 3.1.
    """
    distance = _mahalanobis(sigma, turn)
    return _normalised(torch.exp(-0.5 * (distance if beta is None else distance ** beta[:, None, None])))


def plateau(sigma: Tensor, turn: Tensor, beta: Tensor) -> Tensor:
    """Kernels with a flat top, 1/N 1 / (1 + (C' S^-1 C)^beta) (section 3.1); arguments as for `gaussian`."""
    return _normalised(1 / (1 + _mahalanobis(sigma, turn) ** beta[:, None, None]))


def sinc(cutoff: Tensor) -> Tensor:
    """Ideal low-pass filters, w J1(w r) / (2 pi r) at the radius r (equation 6), which ring and overshoot.

    `cutoff` w is `(N,)` radians per pixel, up to pi.
    """
    y, x = _grid(cutoff.device)
    radius = torch.hypot(x, y)
    w = cutoff[:, None, None]
    ring = w * torch.special.bessel_j1(w * radius) / (2 * np.pi * radius.clamp_min(1e-6))
    # The limit at the centre: J1(z) tends to z / 2.
    return _normalised(torch.where(radius == 0, w**2 / (4 * np.pi), ring))


def cropped(kernels: Tensor, radius: Tensor) -> Tensor:
    """The kernels cut to squares of 2 `radius` + 1 pixels and normalised again; `radius` is `(N,)`."""
    y, x = _grid(kernels.device)
    return _normalised(kernels * (torch.maximum(x.abs(), y.abs()) <= radius[:, None, None]))


def draw(config: BlurConfig, count: int, rng: np.random.Generator, device: torch.device) -> Tensor:
    """`count` kernels as `config` says; an identity means no blur."""
    kind = rng.choice(6, count, p=np.array(config.shares) / sum(config.shares))
    sigma = rng.uniform(*config.sigma, (count, 2))
    sigma[kind % 2 == 0, 1] = sigma[kind % 2 == 0, 0]
    turn = rng.uniform(-np.pi, np.pi, count)
    beta = np.select(
        [kind < 2, kind < 4], [np.ones(count), _around_one(*config.generalised_beta, count, rng)],
        _around_one(*config.plateau_beta, count, rng),
    )  # fmt: skip
    radius = rng.integers(*_RADII, count)
    # A narrow sinc needs a wide kernel (the published options: from pi / 3 below 13 pixels, else from pi / 5).
    cutoff = rng.uniform(np.where(radius < 6, np.pi / 3, np.pi / 5), np.pi)
    rings = rng.random(count) < config.sinc
    blurred = rng.random(count) < config.probability

    def column(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(device)

    sigmas, turns, betas = column(sigma), column(turn), column(beta)
    smooth = torch.where(
        column(kind < 4)[:, None, None] > 0, gaussian(sigmas, turns, betas), plateau(sigmas, turns, betas)
    )
    chosen = torch.where(column(rings)[:, None, None] > 0, sinc(column(cutoff)), smooth)
    chosen = cropped(chosen, column(radius))
    return torch.where(column(blurred)[:, None, None] > 0, chosen, identity(count, device))


def draw_sinc(probability: float, count: int, rng: np.random.Generator, device: torch.device) -> Tensor:
    """Sinc kernels for the end of the chain; an identity means no filter."""
    cutoff = torch.from_numpy(rng.uniform(np.pi / 3, np.pi, count).astype(np.float32)).to(device)
    filtered = torch.from_numpy(rng.random(count) < probability).to(device)
    return torch.where(filtered[:, None, None], sinc(cutoff), identity(count, device))


def identity(count: int, device: torch.device) -> Tensor:
    """Kernels that change nothing."""
    kernels = torch.zeros(count, SIZE, SIZE, device=device)
    kernels[:, REACH, REACH] = 1
    return kernels


def apply(images: Tensor, kernels: Tensor) -> Tensor:
    """Each of `(N, C, H, W)` filtered with its own kernel, the same for all channels; borders are reflected."""
    count, channels, height, width = images.shape
    # Reflection needs more pixels than it adds; the border of a smaller picture is repeated instead.
    mode = "reflect" if min(height, width) > REACH else "replicate"
    padded = torch.nn.functional.pad(images, (REACH,) * 4, mode=mode)
    weights = kernels.repeat_interleave(channels, 0)[:, None]
    filtered = torch.nn.functional.conv2d(
        padded.reshape(1, count * channels, *padded.shape[2:]), weights, groups=count * channels
    )
    return filtered.reshape(images.shape)


def _grid(device: torch.device) -> tuple[Tensor, Tensor]:
    span = torch.arange(-REACH, REACH + 1, device=device, dtype=torch.float32)
    return span[:, None], span[None, :]


def _mahalanobis(sigma: Tensor, turn: Tensor) -> Tensor:
    """C' S^-1 C `(N, SIZE, SIZE)`: R' turns C into the axes of the Gaussian, where S is diagonal."""
    y, x = _grid(sigma.device)
    cos, sin = turn.cos()[:, None, None], turn.sin()[:, None, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    return (along / sigma[:, 0, None, None]) ** 2 + (across / sigma[:, 1, None, None]) ** 2


def _normalised(kernels: Tensor) -> Tensor:
    return kernels / kernels.sum((1, 2), keepdim=True)


def _around_one(low: float, high: float, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Shapes below and above 1 equally often, whatever the range."""
    below = rng.uniform(min(low, 1.0), max(1.0, min(high, 1.0)), count)
    return np.where(rng.random(count) < 0.5, below, rng.uniform(max(low, 1.0), max(high, 1.0), count))
