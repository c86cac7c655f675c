"""A released generator that another one learns from: its probabilities carry less noise than clean modules do."""

from pathlib import Path

import torch
from torch import Tensor

from training.export import generator_of
from training.interpolate import source


class Teacher:
    """The generator of a checkpoint or a released version, ready for inference."""

    def __init__(self, path: Path, device: torch.device) -> None:
        """Load it.

        Raises:
            CheckpointError: neither a checkpoint nor a released version, or damaged.
        """
        network = generator_of(source(path)).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network

    @torch.no_grad()
    def probabilities(self, lr: Tensor) -> Tensor:
        """How probable it is that a pixel is light, in [0, 1], `(N, C, 4h, 4w)`, of crops `(N, C, h, w)` in [0, 1]."""
        outputs = self._network(lr.contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(outputs.logits).contiguous()
