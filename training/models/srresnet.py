"""SRGAN's generator, without batch norm by default, as in the paper."""

import math

import torch
from torch import Tensor, nn

from training.models.config import SRResNetConfig
from training.models.generator import Generator


class _Block(nn.Module):
    """Convolution, PReLU and convolution beside an identity; with batch norm if configured."""

    def __init__(self, channels: int, batch_norm: bool) -> None:
        super().__init__()

        def convolution() -> list[nn.Module]:
            # A bias before batch norm would be subtracted again.
            layer = nn.Conv2d(channels, channels, 3, padding=1, bias=not batch_norm)
            return [layer, nn.BatchNorm2d(channels)] if batch_norm else [layer]

        self.branch = nn.Sequential(*convolution(), nn.PReLU(), *convolution())

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + self.branch(features)
        return out


class SRResNet(Generator):
    """SRResNet (Ledig et al. 2017, figure 4): a 9x9 stem, residual blocks, two pixel shuffles by 2, a 9x9 head."""

    multiple = 1

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        wide = config.channels
        self.in_channels = config.in_channels
        self.stem = nn.Sequential(nn.Conv2d(config.in_channels, wide, 9, padding=4), nn.PReLU())
        after = [nn.Conv2d(wide, wide, 3, padding=1, bias=not config.batch_norm)]  # type: list[nn.Module]
        if config.batch_norm:
            after.append(nn.BatchNorm2d(wide))
        self.body = nn.Sequential(*(_Block(wide, config.batch_norm) for _ in range(config.blocks)), *after)
        self.up = nn.Sequential(*(layer for _ in range(2) for layer in _doubling(wide)))
        self.head = nn.Conv2d(wide, config.in_channels, 9, padding=4)
        if not config.batch_norm:
            self._start_small()
        # 9x9 at the input's resolution, two layers a block and one behind them, one convolution before each doubling,
        # 9x9 at four times the resolution.
        self.receptive_radius = math.ceil(4 + 2 * config.blocks + 1 + 1 + 1 / 2 + 4 / 4)

    def _start_small(self) -> None:
        """Make residual branches start small, so that training is stable without normalisation."""
        for block in self.body:
            if isinstance(block, _Block):
                last = block.branch[-1]
                assert isinstance(last, nn.Conv2d)  # noqa: S101 - tells the type checker what was built above
                with torch.no_grad():
                    last.weight *= 0.1

    def logits(self, lr: Tensor) -> Tensor:
        features = self.stem(lr - 0.5)
        logits: Tensor = self.head(self.up(features + self.body(features)))
        return logits


def _doubling(channels: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
