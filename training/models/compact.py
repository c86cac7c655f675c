"""The served generator: most of its layers at half the resolution of the input, and no normalisation."""

import torch
from torch import Tensor, nn

from training.models.config import CompactConfig
from training.models.generator import Generator


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside an identity (He et al. 2016), without batch norm (Lim et al. 2017)."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        """`dilation` is that of the second convolution."""
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + self.second(torch.relu(self.first(features)))
        return out


class CompactGenerator(Generator):
    """Height and width of the input must be even.

    At half resolution a layer costs a quarter and sees twice as far, so the network sees more than three 8x8 JPEG
    blocks. A skip connection at full resolution keeps the details.
    """

    multiple = 2

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.in_channels = config.in_channels
        wide, deep = config.channels, config.body_channels
        self.stem_in = nn.Conv2d(config.in_channels, wide, 3, padding=1)
        self.stem_out = nn.Conv2d(wide, wide, 3, padding=1)
        self.down = nn.Conv2d(wide, deep, 2, stride=2)
        blocks = [ResidualBlock(deep) for _ in range(config.blocks)]
        self.body = nn.Sequential(*blocks)
        self.up = nn.Conv2d(deep, 4 * wide, 1)
        self.tail = nn.Conv2d(wide, wide, 3, padding=1)
        self.head = nn.Conv2d(wide, 16 * config.in_channels, 3, padding=1)
        self.shuffle_2 = nn.PixelShuffle(2)
        self.shuffle_4 = nn.PixelShuffle(4)
        # Residual branches start small, so that training is stable without normalisation.
        for block in blocks:
            nn.init.normal_(block.second.weight, std=0.1 * (2 / (9 * deep)) ** 0.5)
            nn.init.zeros_(block.second.bias)  # type: ignore[arg-type]
        # Four layers at the input's resolution, one pixel for halving and doubling, two layers a block at half of it.
        self.receptive_radius = 4 + 1 + 2 * 2 * config.blocks

    def logits(self, lr: Tensor) -> Tensor:
        features = torch.relu(self.stem_out(torch.relu(self.stem_in(lr - 0.5))))
        deep = self.body(self.down(features))
        features = torch.relu(features + self.shuffle_2(self.up(torch.relu(deep))))
        logits: Tensor = self.shuffle_4(self.head(torch.relu(self.tail(features))))
        return logits
