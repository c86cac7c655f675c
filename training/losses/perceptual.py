"""The perceptual loss: the distance of pictures by the features of VGG19."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from training.losses.config import PerceptualConfig

CONVOLUTIONS = (2, 2, 4, 4, 4)
"""VGG19's convolutions in each of its five blocks (Simonyan & Zisserman 2015, table 1, column E)."""
CHANNELS = (64, 128, 256, 512, 512)
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Standard deviation of ImageNet's red, green and blue in [0, 1], which normalises the input of its networks."""


class VGG19Features(nn.Module):
    """Pictures `(N, 1 or 3, H, W)` in [0, 1] to the features of one layer, `(N, C, H >> (b-1), W >> (b-1))` in block b.

    The weights are fixed; gradients flow to the pictures alone. A picture of one channel counts as grey.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Mapping[str, Tensor], layer: str, *, before_activation: bool) -> None:
        """`weights` by torchvision's names, `features.0.weight` and so on, any floating type.

        Raises:
            KeyError: a convolution up to `layer` is missing.
            ValueError: a weight of another shape, or no such layer.
        """
        super().__init__()
        self.features = nn.Sequential(*_layers(layer, before_activation))
        own = self.state_dict()
        for name, value in own.items():
            if weights[name].shape != value.shape:
                raise ValueError(
                    f"{name} has the shape {tuple(weights[name].shape)}, not {tuple(value.shape)}"
                )
        self.load_state_dict({name: weights[name].to(torch.float32) for name in own})
        self.register_buffer("mean", torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).reshape(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        coloured = pictures.expand(-1, 3, -1, -1)
        normalised = ((coloured - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.features(normalised)
        return features


def _layers(layer: str, before_activation: bool) -> list[nn.Module]:
    """VGG19 up to `layer`, in torchvision's order, so that positions equal torchvision's names."""
    layers: list[nn.Module] = []
    channels = 3
    for block, (count, wide) in enumerate(zip(CONVOLUTIONS, CHANNELS, strict=True), 1):
        if block > 1:
            layers.append(nn.MaxPool2d(2, 2))
        for number in range(1, count + 1):
            layers.append(nn.Conv2d(channels, wide, 3, padding=1))
            channels = wide
            if layer == f"conv{block}_{number}":
                return layers if before_activation else [*layers, nn.ReLU()]
            layers.append(nn.ReLU())
    raise ValueError(f"VGG19 has no layer {layer}")


class PerceptualLoss(nn.Module):
    """Equation (5): mean absolute or squared difference of the features of two sets of pictures."""

    def __init__(self, config: PerceptualConfig, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.vgg = VGG19Features(weights, config.layer, before_activation=config.before_activation)
        self._distance = nn.functional.l1_loss if config.criterion == "l1" else nn.functional.mse_loss

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Scalar; `sr` and `hr` are `(N, 1 or 3, H, W)` in [0, 1], gradients flow to `sr` alone."""
        with torch.no_grad():
            expected = self.vgg(hr)
        return self._distance(self.vgg(sr).float(), expected.float())
