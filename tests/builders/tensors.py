"""What tests of training ask of tensors."""

from torch import Tensor


def gradient(of: Tensor) -> Tensor:
    """The gradient that a backward pass left."""
    assert of.grad is not None
    return of.grad
