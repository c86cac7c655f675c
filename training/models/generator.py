"""What all generators have in common."""

from torch import Tensor, nn


class Generator(nn.Module):
    """`lr (N, C, h, w) float32 in [0, 1]` to logits `(N, C, 4h, 4w)`; the sigmoid of a logit is the ×4 picture.

    C is 1 (luma) or 3 (RGB).
    """

    in_channels: int
    multiple: int
    """Height and width of the input must be multiples of this."""
    receptive_radius: int
    """LR pixels around a pixel that can change its output, at most; an upper bound that each kind derives from its
    layers. A 3x3 convolution adds 1 pixel of the resolution that it works at."""

    def forward(self, lr: Tensor) -> Tensor:
        raise NotImplementedError
