"""Cross-entropy with weights for the pixels that readers use."""

import torch
from torch import Tensor

from training.losses.reduction import Mean


def weighted_cross_entropy(
    logits: Tensor, target: Tensor, weight: Tensor, mean: Mean = Tensor.mean
) -> Tensor:
    """Weighted mean of the binary cross-entropy of `logits` against `target` in [0, 1]; scalar.

    All are `(N, C, H, W)`; `weight` is at least 0 and may have one channel; `mean` computes the mean weight. The loss
    is cross-entropy, not squared error, because its minimum is the probability that a pixel is light, which the
    soft-decision reader needs.
    """
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, weight, reduction="mean")
    return loss / mean(weight).clamp_min(1e-9)
