"""Speed of making samples and of training on them, which shows whether the trainer waits."""

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from training.config import TrainingConfig
from training.data.samples import Materials, SampleSource
from training.data.stream import batches
from training.devices import launch
from training.players import Players

_WARM_UP = 3


@dataclass(frozen=True)
class Throughput:
    """Samples per second."""

    generated: float
    """By one data source, alone on the device."""
    trained: float
    """By optimiser steps on samples that are ready."""
    needed: float
    """Fresh samples that keep the trainer busy; each is used `replay` times."""


def measure(config: TrainingConfig, device: torch.device, steps: int, cache: Path) -> Throughput:
    """Time `steps` chunks of data and as many optimiser steps, one after the other."""
    source = SampleSource(config.data, config.loss, Materials.make(config.data, device, cache), device)
    source.chunk(0)
    began = _now(device)
    for number in range(steps):
        source.chunk(number + 1)
    generated = steps * config.data.chunk / (_now(device) - began)

    players = Players(config, launch(config), cache)
    inline = config.model_copy(update={"data": config.data.model_copy(update={"workers": 0})})
    ready = list(islice(batches(inline, 0, device, cache), _WARM_UP + steps))
    for number, samples in enumerate(ready):
        if number == _WARM_UP:
            began = _now(device)
        players.step(samples, number + 1)
    trained = steps * config.optimiser.batch / (_now(device) - began)
    return Throughput(generated, trained, trained / config.data.replay)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()
