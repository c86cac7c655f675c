"""The input of the discriminator: the picture, and further channels as configured."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from training.config import TrainingConfig
from training.data.samples import Samples
from training.objective import shown


def view_channels(config: TrainingConfig) -> int:
    """Channels of a view."""
    channels: int = config.generator.in_channels
    return channels * (1 + config.adversarial.sees_lr + config.adversarial.sees_symbol)


def views(samples: Samples, sr: Tensor, config: TrainingConfig, step: int) -> tuple[Tensor, Tensor]:
    """Views `(N, view_channels, 4h, 4w) float32` of the true pictures and of `sr`, with gradients to `sr`.

    The noise on both follows from the run's seed and `step` alone, so a resumed run has the same noise.
    """
    settings = config.adversarial
    beside = []
    if settings.sees_lr:
        beside.append(interpolate(samples.lr, scale_factor=4.0, mode="bilinear", align_corners=False))
    if settings.sees_symbol:
        beside.append(samples.target.float() / 255)
    source = torch.Generator(sr.device).manual_seed((config.run.seed << 32) + step)

    def view(picture: Tensor) -> Tensor:
        if settings.noise:
            grain = torch.randn(picture.shape, generator=source, device=picture.device)
            picture = picture + settings.noise * grain
        return torch.cat([picture, *beside], dim=1)

    return view(shown(samples)), view(sr)
