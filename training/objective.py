"""The generator's loss: equation (8) of the paper and further terms, as weighted parts."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from training.config import TrainingConfig
from training.data.samples import WEIGHT_SCALE, Samples
from training.data.unsharp import unsharp
from training.losses.binary_pattern import binary_pattern_loss, ramp
from training.losses.module import weighted_cross_entropy
from training.losses.perceptual import PerceptualLoss
from training.losses.reduction import Mean
from training.losses.vgg_weights import load_weights
from training.models.generator import Outputs


def shown(samples: Samples) -> Tensor:
    """The target of the picture output, `(N, C, 4h, 4w) float32` in [0, 1]."""
    return samples.picture.float() / 255


class Objective:
    """The parts of the generator's loss that depend on the picture alone, and the weights of all parts."""

    def __init__(self, config: TrainingConfig, device: torch.device, cache: Path, mean: Mean) -> None:
        """`cache` is the folder of downloaded weights, `mean` the mean over all processes.

        Raises:
            WeightsError: the perceptual loss is on, and there are no weights of VGG19.
        """
        self._config, self._mean = config, mean
        self._perceptual = (
            PerceptualLoss(config.perceptual, load_weights(config.perceptual.weights, cache)).to(device)
            if config.loss.perceptual
            else None
        )

    def parts(self, outputs: Outputs, samples: Samples, step: int) -> dict[str, Tensor]:
        """Unweighted scalars by the names of their weights at `step` (from 1), without parts of weight 0.

        The cross-entropy is that of the logits; all other parts judge the picture. Only the pixel losses may have a
        sharpened target, because features and discriminator would learn its halos.
        """
        loss = self._config.loss
        hr, sr = shown(samples), outputs.sr
        parts = {}
        if loss.cross_entropy:
            weight = samples.weight.float() / WEIGHT_SCALE
            aim = samples.aim.float() / 255
            parts["cross_entropy"] = weighted_cross_entropy(outputs.logits, aim, weight, self._mean)
        pixels = unsharp(hr) if loss.sharpen_pixels and (loss.l1 or loss.l2) else hr
        if loss.l1:
            parts["l1"] = l1_loss(sr, pixels)
        if loss.l2:
            parts["l2"] = mse_loss(sr, pixels)
        if self._perceptual and step % self._config.perceptual.every == 0:
            parts["perceptual"] = self._perceptual(sr, hr)
        if loss.binary_pattern:
            parts["binary_pattern"] = binary_pattern_loss(sr, hr, self._config.binary_pattern)
        return parts

    def total(self, parts: dict[str, Tensor], step: int) -> Tensor:
        """Equation (8): the weighted sum of the parts at optimiser step `step` (from 1)."""
        weights = self._config.loss.model_dump()
        weights["binary_pattern"] *= ramp(self._config.binary_pattern, step)
        return torch.stack([weights[name] * part for name, part in parts.items()]).sum()
