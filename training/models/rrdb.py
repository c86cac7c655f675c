"""ESRGAN's generator: dense blocks within residual blocks."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from training.models.config import RRDBConfig
from training.models.generator import Generator

RESIDUAL_SCALE = 0.2
"""Factor on every residual branch (Wang et al. 2018, section 3.1)."""
INITIAL_SCALE = 0.1
"""Factor on the initial weights of the residual branches (ibid.)."""
_SLOPE = 0.2
_DENSE_LAYERS = 5


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the output of all before it."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(channels + k * growth, growth if k < _DENSE_LAYERS - 1 else channels, 3, padding=1)
            for k in range(_DENSE_LAYERS)
        )
        for layer in self.layers:
            assert isinstance(layer, nn.Conv2d)  # noqa: S101 - tells the type checker what was built above
            nn.init.kaiming_normal_(layer.weight)
            with torch.no_grad():
                layer.weight *= INITIAL_SCALE
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        seen = features
        *inner, last = self.layers
        for layer in inner:
            seen = torch.cat([seen, leaky_relu(layer(seen), _SLOPE)], dim=1)
        out: Tensor = features + RESIDUAL_SCALE * last(seen)
        return out


class ResidualInResidual(nn.Module):
    """Three dense blocks beside an identity."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(channels, growth) for _ in range(3)))

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + RESIDUAL_SCALE * self.blocks(features)
        return out


class RRDBGenerator(Generator):
    """RRDBNet (Wang et al. 2018, figure 4): blocks at the input's resolution, two nearest doublings."""

    multiple = 1

    def __init__(self, config: RRDBConfig) -> None:
        super().__init__()
        wide = config.channels
        self.in_channels = config.in_channels
        self.stem = nn.Conv2d(config.in_channels, wide, 3, padding=1)
        self.body = nn.Sequential(*(ResidualInResidual(wide, config.growth) for _ in range(config.blocks)))
        self.trunk = nn.Conv2d(wide, wide, 3, padding=1)
        self.up_2 = nn.Conv2d(wide, wide, 3, padding=1)
        self.up_4 = nn.Conv2d(wide, wide, 3, padding=1)
        self.tail = nn.Conv2d(wide, wide, 3, padding=1)
        self.head = nn.Conv2d(wide, config.in_channels, 3, padding=1)
        # Stem and trunk, five layers in each of three dense blocks a block, one layer at twice the resolution, three at
        # four times.
        self.receptive_radius = math.ceil(2 + 3 * _DENSE_LAYERS * config.blocks + 1 / 2 + 3 / 4)

    def logits(self, lr: Tensor) -> Tensor:
        features = self.stem(lr - 0.5)
        features = features + self.trunk(self.body(features))
        for layer in (self.up_2, self.up_4):
            features = leaky_relu(layer(interpolate(features, scale_factor=2.0, mode="nearest")), _SLOPE)
        logits: Tensor = self.head(leaky_relu(self.tail(features), _SLOPE))
        return logits
