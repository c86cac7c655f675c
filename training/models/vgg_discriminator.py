"""SRGAN's discriminator, which judges a picture as a whole."""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from training.models.config import VGGDiscriminatorConfig

_SLOPE = 0.2
_GRID = 6
"""Cells a side to which the deepest features are averaged. Crops of 96 pixels, as in SRGAN's training, have so many
without averaging. With it, pictures of any size from 16 pixels on can be judged."""
_HIDDEN = 16
"""Units of the layer before the logit, in multiples of `channels`."""


class VGGDiscriminator(nn.Module):
    """Pictures `(N, C, H, W)` in [0, 1] to logits `(N, 1)` (Ledig et al. 2017, figure 4)."""

    def __init__(self, config: VGGDiscriminatorConfig, in_channels: int) -> None:
        super().__init__()
        normed = spectral_norm if config.spectral_norm else _unchanged
        layers: list[nn.Module] = []
        before = in_channels
        for times in (1, 2, 4, 8):
            for stride in (1, 2):
                wide = times * config.channels
                # The first layer has no batch norm; a bias before batch norm would be subtracted again.
                with_norm = config.batch_norm and before != in_channels
                layers.append(
                    normed(nn.Conv2d(before, wide, 3, stride=stride, padding=1, bias=not with_norm))
                )
                if with_norm:
                    layers.append(nn.BatchNorm2d(wide))
                layers.append(nn.LeakyReLU(_SLOPE))
                before = wide
        hidden = _HIDDEN * config.channels
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(
            nn.AdaptiveAvgPool2d(_GRID),
            nn.Flatten(),
            normed(nn.Linear(before * _GRID * _GRID, hidden)),
            nn.LeakyReLU(_SLOPE),
            normed(nn.Linear(hidden, 1)),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.judge(self.features(pictures - 0.5))
        return logits


def _unchanged(layer: nn.Module) -> nn.Module:
    return layer
