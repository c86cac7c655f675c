"""Real-ESRGAN's discriminator, which judges every pixel."""

from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from training.models.config import UNetDiscriminatorConfig

_SLOPE = 0.2


class UNetDiscriminator(nn.Module):
    """Pictures `(N, C, H, W)` in [0, 1] to logits `(N, 1, H, W)`; H and W must be multiples of 8.

    Three halvings, three bilinear doublings with skips added, spectral norm on all but the first and the last layer
    (Wang et al. 2021, section 3.3).
    """

    def __init__(self, config: UNetDiscriminatorConfig, in_channels: int) -> None:
        super().__init__()
        wide = config.channels

        def layer(before: int, after: int, size: int = 3, stride: int = 1) -> nn.Module:
            convolution = nn.Conv2d(before, after, size, stride, padding=1, bias=False)
            return spectral_norm(convolution) if config.spectral_norm else convolution

        self.stem = nn.Conv2d(in_channels, wide, 3, padding=1)
        self.down = nn.ModuleList(layer(wide << k, wide << (k + 1), size=4, stride=2) for k in range(3))
        self.up = nn.ModuleList(layer(wide << (k + 1), wide << k) for k in (2, 1, 0))
        self.tail = nn.ModuleList(layer(wide, wide) for _ in range(2))
        self.head = nn.Conv2d(wide, 1, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        features = leaky_relu(self.stem(pictures - 0.5), _SLOPE)
        skips = []
        for layer in self.down:
            skips.append(features)
            features = leaky_relu(layer(features), _SLOPE)
        for layer, skip in zip(self.up, reversed(skips), strict=True):
            doubled = interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = leaky_relu(layer(doubled), _SLOPE) + skip
        for layer in self.tail:
            features = leaky_relu(layer(features), _SLOPE)
        logits: Tensor = self.head(features)
        return logits
