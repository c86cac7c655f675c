"""A released generator from which another one learns: its probabilities are less noisy targets than clean modules."""

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
            CheckpointError: `path` is neither a checkpoint nor a released version, or is damaged.
        """
        network = generator_of(source(path)).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network

    @torch.no_grad()
    def probabilities(self, lr: Tensor) -> Tensor:
        """The probability that each pixel is light, `(N, C, 4h, 4w)` in [0, 1], for crops `(N, C, h, w)` in [0, 1]."""
        outputs = self._network(lr.contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(outputs.logits).contiguous()
