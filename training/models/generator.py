"""The interface of all generators."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Outputs(NamedTuple):
    """The outputs of a generator for `lr (N, C, h, w)`; both `(N, C, 4h, 4w) float32`."""

    sr: Tensor
    """The x4 picture, for people."""
    logits: Tensor
    """For readers: the sigmoid of a logit is the probability that the pixel is light in the clean symbol."""


class Generator(nn.Module):
    """`lr (N, C, h, w) float32 in [0, 1]` to a picture and logits four times as wide and high.

    C is 1 (luma) or 3 (RGB). A kind with one output implements `logits`; its picture is the sigmoid of these. A kind
    with two implements `forward`.
    """

    in_channels: int
    draws_scene = False
    """Whether the picture shows the scene as it is, so that readers look at the logits instead."""
    multiple: int
    """Height and width of the input must be multiples of this."""
    receptive_radius: int
    """Upper bound on the distance in LR pixels from which the input can change an output pixel. Each kind derives it
    from its layers: a 3x3 convolution adds 1 pixel of its resolution."""

    def forward(self, lr: Tensor) -> Outputs:
        logits = self.logits(lr)
        return Outputs(torch.sigmoid(logits), logits)

    def logits(self, lr: Tensor) -> Tensor:
        """Only the logits, `(N, C, 4h, 4w) float32`."""
        raise NotImplementedError
