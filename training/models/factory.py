"""From a configuration to a network."""

from torch import nn

from training.models.compact import CompactGenerator
from training.models.config import (
    CompactConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    SRResNetConfig,
    TwoOutputsConfig,
    VGGDiscriminatorConfig,
)
from training.models.generator import Generator
from training.models.rrdb import RRDBGenerator
from training.models.srresnet import SRResNet
from training.models.two_outputs import TwoOutputsGenerator
from training.models.unet_discriminator import UNetDiscriminator
from training.models.vgg_discriminator import VGGDiscriminator


def build_generator(config: GeneratorConfig) -> Generator:
    """A generator with random weights."""
    match config:
        case CompactConfig():
            return CompactGenerator(config)
        case TwoOutputsConfig():
            return TwoOutputsGenerator(config)
        case SRResNetConfig():
            return SRResNet(config)
        case _:
            return RRDBGenerator(config)


def build_discriminator(config: DiscriminatorConfig, in_channels: int) -> nn.Module:
    """A discriminator of pictures `(N, in_channels, H, W)` in [0, 1] with random weights; it returns logits."""
    if isinstance(config, VGGDiscriminatorConfig):
        return VGGDiscriminator(config, in_channels)
    return UNetDiscriminator(config, in_channels)
