"""Unsharp masking of the ground truth (Wang et al. 2021, section 3.3, and its published training code)."""

import torch
from torch import Tensor

_RADIUS = 25
_SIGMA = 8.0
"""OpenCV's default for a kernel of 2 * 25 + 1 pixels: 0.3 ((51 - 1) / 2 - 1) + 0.8."""


def unsharp(images: Tensor, weight: float = 0.5, threshold: float = 10 / 255) -> Tensor:
    """Sharpened `(N, C, H, W) float32` in [0, 1], same shape.

    The residual is the difference between the images and their Gaussian blur. Where it exceeds `threshold`,
    `images + weight * residual`, clipped to [0, 1], replaces the image, with a mask that is blurred in the same way. So
    flat noise is not amplified.
    """
    residual = images - _blurred(images)
    mask = _blurred((residual.abs() > threshold).to(images.dtype))
    return torch.lerp(images, (images + weight * residual).clamp(0, 1), mask)


def _blurred(images: Tensor) -> Tensor:
    span = torch.arange(-_RADIUS, _RADIUS + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-(span**2) / (2 * _SIGMA**2))
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 1, -1)
    mode = "reflect" if min(images.shape[2:]) > _RADIUS else "replicate"
    padded = torch.nn.functional.pad(images, (_RADIUS,) * 4, mode=mode)
    across = torch.nn.functional.conv2d(padded, kernel, groups=images.shape[1])
    return torch.nn.functional.conv2d(across, kernel.transpose(2, 3), groups=images.shape[1])
