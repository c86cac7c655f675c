"""Exponential moving average of a network's weights."""

import copy

import torch
from torch import nn


class WeightAverage:
    """Keeps `average`, a copy of a network that follows its weights slowly (Polyak & Juditsky 1992)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Add the weights after optimiser step `step` (from 1); early steps count more than later ones."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for mean, value in zip(self.average.parameters(), network.parameters(), strict=True):
            mean.data.lerp_(value.data, 1 - decay)
        # The buffers of batch norm are averages already.
        for counted, present in zip(self.average.buffers(), network.buffers(), strict=True):
            counted.copy_(present)
