"""Adversarial losses on logits: the standard GAN and the relativistic average GAN.

C(x) is the discriminator's logit, one per picture or one per pixel; E is the mean over all of them. log σ(c) is
computed as -softplus(-c), so that no logit overflows.
"""

from typing import Literal

from torch import Tensor
from torch.nn.functional import softplus

from training.losses.reduction import Mean

Kind = Literal["relativistic", "standard"]


def discriminator_loss(kind: Kind, hr: Tensor, sr: Tensor, mean: Mean = Tensor.mean) -> Tensor:
    """The discriminator's loss from its logits on HR and SR pictures; a scalar of at least 0.

    Standard, equation (1) (Goodfellow et al. 2014): -E[log σ(C(hr))] - E[log(1 - σ(C(sr)))].
    Relativistic, equations (2) and (3) (Jolicoeur-Martineau 2018):
    -E[log σ(C(hr) - E[C(sr)])] - E[log(1 - σ(C(sr) - E[C(hr)]))].
    """
    if kind == "standard":
        return softplus(-hr).mean() + softplus(sr).mean()
    return softplus(-(hr - mean(sr))).mean() + softplus(sr - mean(hr)).mean()


def generator_loss(kind: Kind, hr: Tensor, sr: Tensor, mean: Mean = Tensor.mean) -> Tensor:
    """The generator's loss from the discriminator's logits; a scalar of at least 0.

    Standard: -E[log σ(C(sr))], the non-saturating form of equation (1) (Goodfellow
    et al. 2014, section 3). Relativistic, equation (4):
    -E[log(1 - σ(C(hr) - E[C(sr)]))] - E[log σ(C(sr) - E[C(hr)])], both terms of which depend on the generator.
    """
    if kind == "standard":
        return softplus(-sr).mean()
    return softplus(hr - mean(sr)).mean() + softplus(-(sr - mean(hr))).mean()
