"""How losses take means."""

from collections.abc import Callable

from torch import Tensor

Mean = Callable[[Tensor], Tensor]
"""Differentiable mean of a tensor to a scalar: of one process' values, or over those of all processes, so that a batch
that many share has the gradients that it has on one."""
