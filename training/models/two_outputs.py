"""One trunk, two outputs: logits for the readers and a picture for people."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from training.models.compact import ResidualBlock
from training.models.config import TwoOutputsConfig
from training.models.generator import Generator, Outputs

_HALF = 8
"""Pixels of the x4 picture along a pixel at half the resolution of the input."""
_WINDOW = 11
"""Side of the window, at half resolution, over which contrast is measured: about ten small modules."""
_FAINTEST = 0.01
"""Standard deviation below which contrast is not raised further: about that of rounding to 8 bits and JPEG."""


class TwoOutputsGenerator(Generator):
    """Height and width of the input must be even.

    All layers work at half the input's resolution. There a layer costs a quarter and sees twice as far; dilated layers
    see twice as far again. The picture is a linear enlargement of the input, bicubic before training, plus the output
    of a separate branch on the trunk's features. Only the share `picture_gradient` of the picture's gradient reaches
    the trunk. With 0 the trunk, and so the logits, learn only from the loss of the logits.

    The trunk gets the pixels and a second copy without local mean and contrast. In the copy a symbol in a few
    hundredths of the range looks like any other.
    """

    draws_scene = True
    multiple = 2
    in_channels = 1

    def __init__(self, config: TwoOutputsConfig) -> None:
        super().__init__()
        wide, narrow = config.channels, config.picture_channels
        self._share = config.picture_gradient
        self.to_half = nn.PixelUnshuffle(2)
        self.to_picture = nn.PixelShuffle(_HALF)
        self.stem = nn.Conv2d(8, wide, 3, padding=1)
        blocks = [ResidualBlock(wide, dilation) for dilation in config.dilations]
        self.body = nn.Sequential(*blocks)
        self.head = nn.Conv2d(wide, _HALF**2, 3, padding=1)
        self.picture = nn.Conv2d(wide, narrow, 3, padding=1)
        self.picture_head = nn.Conv2d(narrow, _HALF**2, 3, padding=1)
        self.picture_linear = nn.Conv2d(4, _HALF**2, 3, padding=1, bias=False)
        # Residual branches start small, so that training is stable without normalisation.
        for block in blocks:
            nn.init.normal_(block.second.weight, std=0.1 * (2 / (9 * wide)) ** 0.5)
            nn.init.zeros_(block.second.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.picture_head.weight.mul_(0.1)
            self.picture_linear.weight.copy_(_bicubic_kernels())
        # At half resolution: half the window, the stem, two layers a block, and the picture's two.
        reach = _WINDOW // 2 + 1 + sum(1 + dilation for dilation in config.dilations) + 2
        # Converted to pixels, plus one for the halving.
        self.receptive_radius = 2 * reach + 1

    def forward(self, lr: Tensor) -> Outputs:
        half = self.to_half(lr - 0.5)
        mean, contrast = _statistics(half)
        features = self._features(half, mean, contrast)
        shown = torch.lerp(features.detach(), features, self._share) if self._share else features.detach()
        shown = torch.relu(self.picture(shown))
        # The features hardly know the contrast that was taken out of them, so it is put back here.
        detail = self.picture_head(shown) * contrast
        picture = self.to_picture(detail + self.picture_linear(half)) + 0.5
        if not self.training:
            # In training, a pixel beyond white or black still needs its gradient.
            picture = picture.clamp(0, 1)
        return Outputs(picture, self.to_picture(self.head(features)))

    def logits(self, lr: Tensor) -> Tensor:
        half = self.to_half(lr - 0.5)
        logits: Tensor = self.to_picture(self.head(self._features(half, *_statistics(half))))
        return logits

    def _features(self, half: Tensor, mean: Tensor, contrast: Tensor) -> Tensor:
        seen = torch.cat([half, (half - mean) / contrast], dim=1)
        return torch.relu(self.body(torch.relu(self.stem(seen))))


def _statistics(half: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of `half (N, 4, H, W)` over a window around each pixel, `(N, 1, H, W)`."""
    moments = torch.cat([half.mean(1, keepdim=True), (half * half).mean(1, keepdim=True)], dim=1)
    # Along one direction and then the other: the same mean for a fifth of the sums.
    for window in ((_WINDOW, 1), (1, _WINDOW)):
        around = (window[0] // 2, window[1] // 2)
        moments = avg_pool2d(moments, window, stride=1, padding=around, count_include_pad=False)
    mean, square = moments[:, :1], moments[:, 1:]
    variance = (square - mean * mean).clamp_min(0)
    return mean, torch.sqrt(variance + _FAINTEST**2)


def _bicubic_kernels() -> Tensor:
    """Weights `(64, 4, 3, 3)` that make bicubic x4 enlargement of a 3x3 neighbourhood at half resolution."""
    # Each of the 6x6 input pixels under the kernel alone, enlarged; the middle 2x2 pixels give the 8x8 outputs. They
    # are surrounded by 4 more pixels, so that interpolation meets no border.
    impulses = torch.zeros(6, 6, 14, 14)
    for row in range(6):
        for column in range(6):
            impulses[row, column, 4 + row, 4 + column] = 1
    enlarged = interpolate(impulses.reshape(36, 1, 14, 14), scale_factor=4.0, mode="bicubic")
    middle = enlarged[:, 0, 24:32, 24:32].reshape(3, 2, 3, 2, _HALF**2)
    # (kernel row, row in 2x2, kernel column, column in 2x2, output) to (output, 2x2, kernel row, kernel column).
    return middle.permute(4, 1, 3, 0, 2).reshape(_HALF**2, 4, 3, 3)
