"""What the generator minimises: equation (8) of the paper and the terms beside it, as weighted parts."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from training.config import TrainingConfig
from training.data.samples import WEIGHT_SCALE, Samples
from training.losses.binary_pattern import binary_pattern_loss, ramp
from training.losses.module import weighted_cross_entropy
from training.losses.perceptual import PerceptualLoss
from training.losses.reduction import Mean
from training.losses.vgg_weights import load_weights


def targets(samples: Samples) -> Tensor:
    """HR pictures `(N, C, 4h, 4w) float32` in [0, 1]."""
    return samples.target.float() / 255


class Objective:
    """The parts of the generator's loss that are made of the picture alone, and the weights of all parts."""

    def __init__(self, config: TrainingConfig, device: torch.device, cache: Path, mean: Mean) -> None:
        """`cache` is the folder of downloaded weights, `mean` the mean over all processes.

        Raises:
            WeightsError: the perceptual loss is on and there are no weights of VGG19.
        """
        self._config, self._mean = config, mean
        self._perceptual = (
            PerceptualLoss(config.perceptual, load_weights(config.perceptual.weights, cache)).to(device)
            if config.loss.perceptual
            else None
        )

    def parts(self, logits: Tensor, samples: Samples) -> dict[str, Tensor]:
        """Scalars by the names of their weights, not yet weighted; those of weight 0 are left out."""
        loss = self._config.loss
        hr, sr = targets(samples), torch.sigmoid(logits)
        parts = {}
        if loss.cross_entropy:
            weight = samples.weight.float() / WEIGHT_SCALE
            parts["cross_entropy"] = weighted_cross_entropy(logits, hr, weight, self._mean)
        if loss.l1:
            parts["l1"] = l1_loss(sr, hr)
        if loss.l2:
            parts["l2"] = mse_loss(sr, hr)
        if self._perceptual:
            parts["perceptual"] = self._perceptual(sr, hr)
        if loss.binary_pattern:
            parts["binary_pattern"] = binary_pattern_loss(sr, hr, self._config.binary_pattern)
        return parts

    def total(self, parts: dict[str, Tensor], step: int) -> Tensor:
        """Equation (8): the sum of the parts by their weights at optimiser step `step` (from 1)."""
        weights = self._config.loss.model_dump()
        weights["binary_pattern"] *= ramp(self._config.binary_pattern, step)
        return torch.stack([weights[name] * part for name, part in parts.items()]).sum()
