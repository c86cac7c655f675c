"""Features before and after their activation: how many are active, and the effect on the brightness of a picture.

The paper follows ESRGAN, which compares VGG19's features before the activation. After the activation of a deep layer
few features are active, so they supervise little and let the brightness drift (Wang et al. 2018, section 3.2). Here the
active features of clean symbols are counted. Pictures that are optimised with the perceptual loss alone show the
brightness.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from training.config import TrainingConfig
from training.data.samples import Materials, SampleSource
from training.losses.config import PerceptualConfig
from training.losses.perceptual import PerceptualLoss, VGG19Features
from training.objective import shown
from training.validate import SEED_OFFSET

RATE = 0.01
"""Learning rate of the optimiser of the pictures, as a share of the full scale per step."""


@dataclass(frozen=True)
class Brightness:
    """Result of one way to compare; brightness is the mean of a picture, in [0, 1]."""

    active: float
    """Share of the layer's features that are not zero, on the targets."""
    shift_before: float
    """Mean absolute difference of brightness to the target at the start, which is LR enlarged."""
    shift_after: float
    """The same at the end."""
    error_after: float
    """Mean absolute difference of the pixels at the end."""


def measure(
    config: TrainingConfig, weights: Mapping[str, Tensor], pictures: int, steps: int, cache: Path
) -> dict[str, Brightness]:
    """Both ways on `pictures` samples as configured, `steps` steps of Adam each; keys `before` and `after`."""
    data = config.data.model_copy(update={"seed": config.data.seed + SEED_OFFSET})
    samples = SampleSource(
        data, config.loss, Materials.make(data, torch.device("cpu"), cache), torch.device("cpu")
    ).chunk(0, pictures)
    hr = shown(samples)
    start = interpolate(samples.lr, scale_factor=4.0, mode="bicubic", align_corners=False).clamp(0, 1)
    found = {}
    for name, before in (("before", True), ("after", False)):
        perceptual = config.perceptual.model_copy(update={"before_activation": before})
        half = config.optimiser.precision == "bfloat16"
        end = _drawn(start, hr, PerceptualLoss(perceptual, weights), steps, half=half)
        found[name] = Brightness(
            active=_active(hr, weights, perceptual),
            shift_before=_shift(start, hr),
            shift_after=_shift(end, hr),
            error_after=float((end - hr).abs().mean()),
        )
    return found


@torch.no_grad()
def _active(hr: Tensor, weights: Mapping[str, Tensor], config: PerceptualConfig) -> float:
    network = VGG19Features(weights, config.layer, before_activation=config.before_activation)
    return float((network(hr) != 0).float().mean())


def _shift(pictures: Tensor, hr: Tensor) -> float:
    return float((pictures.mean((1, 2, 3)) - hr.mean((1, 2, 3))).abs().mean())


def _drawn(start: Tensor, hr: Tensor, loss: PerceptualLoss, steps: int, *, half: bool) -> Tensor:
    pictures = start.clone().requires_grad_()
    adam = torch.optim.Adam([pictures], RATE)
    for _ in range(steps):
        adam.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            distance = loss(pictures, hr)
        distance.backward()
        adam.step()
        with torch.no_grad():
            pictures.clamp_(0, 1)
    return pictures.detach()
