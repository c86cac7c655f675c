"""The mean that losses use."""

from collections.abc import Callable

from torch import Tensor

Mean = Callable[[Tensor], Tensor]
"""Differentiable mean of a tensor to a scalar, over the values of one process or of all. With all, a batch that several
processes share has the same gradients as on one."""
