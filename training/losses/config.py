"""Configuration of the objective: the parts of the generator's loss, their weights and their settings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from training.data.config import Section

Weight = Annotated[float, Field(ge=0)]


class LossConfig(Section):
    """Weights of the generator's loss, equation (8) and further terms; a part of weight 0 is not computed.

    The second half gives the weight of each pixel in the cross-entropy.
    """

    cross_entropy: Weight = 1.0
    """Cross-entropy of the logits against the target, weighted by pixel."""
    l1: Weight = 0.0
    """Mean absolute difference of the pixels."""
    l2: Weight = 0.0
    """Mean squared difference of the pixels."""
    sharpen_pixels: bool = False
    """Whether L1 and L2 compare with the unsharp-masked picture (Wang et al. 2021, section 3.3)."""
    perceptual: Weight = 0.0
    """Equation (5), see the section `perceptual`."""
    adversarial: Weight = 0.0
    """Equation (1) or (4), see the section `adversarial`; above 0 a discriminator is trained too."""
    binary_pattern: Weight = 0.0
    """Equation (6), see the section `binary_pattern`."""

    symbol: Weight = 0.5
    """Weight anywhere on the symbol."""
    module_centre: Weight = 2.0
    """Weight that is added at the centre of a module and falls off as a Gaussian."""
    module_sigma: Annotated[float, Field(gt=0, le=1)] = 0.22
    """Standard deviation of that Gaussian, in modules."""
    function_patterns: Annotated[float, Field(ge=1)] = 1.5
    """Factor on finder, timing and alignment patterns, to which readers fit the grid."""
    quiet_zone: Weight = 0.5
    surroundings: Weight = 0.06


class AdversarialConfig(Section):
    """Adversarial training of generator and discriminator."""

    kind: Literal["relativistic", "standard"] = "relativistic"
    """Relativistic average GAN, equations (2) to (4), or the standard GAN of equation (1)."""
    sees_lr: bool = False
    """Give the discriminator the LR crop with each picture, so that it judges whether they belong together."""
    sees_symbol: bool = False
    """Give it the clean symbol with each picture, so that it finds wrong modules."""
    noise: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Standard deviation of Gaussian noise on all its pictures, so that it cannot recognise them by smoothness."""


class PerceptualConfig(Section):
    """Distance of the pictures by the features of VGG19."""

    weights: Path | None = None
    """File of VGG19's weights with torchvision's names. Without it, the file that the environment variable `QRSR_VGG19`
    names; without that, the published file from the cache, downloaded if needed."""
    layer: Annotated[str, Field(pattern=r"^conv[1-5]_[1-4]$")] = "conv5_4"
    before_activation: bool = True
    """Compare the layer's output before its ReLU; otherwise after it."""
    criterion: Literal["l1", "l2"] = "l1"
    every: Annotated[int, Field(ge=1)] = 1
    """The loss is computed on every n-th step; its weight does not rise for the other steps."""


class BinaryPatternConfig(Section):
    """The constraint that pixels are black or white."""

    alpha: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Slope of equation (7), per grey level."""
    reading: Literal["mean", "l2"] = "l2"
    """The mean of the weight w(SR), or of w(SR) (SR - HR)²."""
    differentiate_weight: bool = False
    """For `l2`: differentiate w(SR) too, which moves most wrong pixels further from the truth. Otherwise w(SR) only
    weights the squared error."""
    ramp_start: Annotated[int, Field(ge=0)] = 0
    """Step from which the weight of the part rises from 0 ..."""
    ramp_steps: Annotated[int, Field(ge=0)] = 0
    """... linearly over so many steps, because early on the constraint rewards confident wrong modules."""
