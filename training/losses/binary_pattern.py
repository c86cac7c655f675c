"""The binary pattern constraint: a QR symbol has two levels, so grey is wrong."""

import torch
from torch import Tensor

from training.losses.config import BinaryPatternConfig

MIDDLE = 128.0
"""Grey level of the largest weight, on the scale from 0 to 255."""


def pixel_weight(sr: Tensor, alpha: float) -> Tensor:
    """Equation (7), w(x) = 4 e^(-α(x-128)) / (1 + e^(-α(x-128)))², of `sr` in [0, 1] taken as x = 255 sr.

    Shape and dtype as given; values in (0, 1], 1 at mid-grey. Computed as 4 σ(z) σ(-z) with z = α(x-128), which is
    equal and cannot overflow.
    """
    z = alpha * (255 * sr - MIDDLE)
    return 4 * torch.sigmoid(z) * torch.sigmoid(-z)


def binary_pattern_loss(sr: Tensor, hr: Tensor, config: BinaryPatternConfig) -> Tensor:
    """Equation (6) on pictures of equal shape in [0, 1]; scalar in [0, 1], differentiable.

    The reading `mean` is the mean of the weight w(sr) alone; `l2` is the mean of w(sr) (sr - hr)². Gradients flow
    through the weight in `mean`, and in `l2` if `differentiate_weight` is set.
    """
    weight = pixel_weight(sr, config.alpha)
    if config.reading == "mean":
        return weight.mean()
    if not config.differentiate_weight:
        weight = weight.detach()
    return (weight * (sr - hr) ** 2).mean()


def ramp(config: BinaryPatternConfig, step: int) -> float:
    """Share of the part's weight at optimiser step `step` (from 1), in [0, 1]."""
    passed = step - config.ramp_start
    if not config.ramp_steps:
        return float(passed > 0)
    return min(1.0, max(0.0, passed / config.ramp_steps))
