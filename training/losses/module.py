"""Cross-entropy that counts where a reader looks."""

import torch
from torch import Tensor


def weighted_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of the binary cross-entropy of `logits` against `target` in [0, 1]; scalar.

    All are `(N, 1, H, W)`, `weight` at least 0. Entropy, not squared error, because its minimum is the
    probability that a pixel is light: the reader behind takes the logits at their word.
    """
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
    return loss / weight.sum().clamp_min(1e-6)
