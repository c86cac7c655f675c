"""The devices of a run: a CPU, a GPU, or several under torchrun, in any precision, with the same command."""

import os
from typing import Any

import torch
import torch.distributed
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor

from training.config import ConfigError, TrainingConfig
from training.losses.reduction import Mean

_MIXED = {"bfloat16": "bf16-mixed", "float16": "16-mixed"}


class Autocast(MixedPrecision):
    """Mixed precision that does not convert the inputs: in bfloat16 a picture would lose half of its grey levels."""

    def convert_input(self, data: Any) -> Any:
        return data


def device_of(config: TrainingConfig) -> torch.device:
    """The kind of device that a run uses: as configured, or CUDA if available."""
    if config.run.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.run.device)


def launch(config: TrainingConfig) -> Fabric:
    """Join the other processes of this run, if any, and select the device of this process.

    torchrun sets the number of processes in the environment; without it a process is alone.

    Raises:
        ConfigError: the configuration does not suit the devices or the number of processes.
    """
    device = device_of(config)
    if config.optimiser.precision == "float16" and device.type != "cuda":
        raise ConfigError("optimiser.precision: float16 needs CUDA, and there is none")
    beside, world = (int(os.environ.get(name, 1)) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
    if (
        config.optimiser.batch % world
        or config.data.chunk * config.data.replay * world % config.optimiser.batch
    ):
        raise ConfigError(f"optimiser.batch: {config.optimiser.batch} cannot be shared by {world} processes")
    mixed = _MIXED.get(config.optimiser.precision)
    fabric = Fabric(
        accelerator=device.type,
        devices=beside,
        num_nodes=world // beside,
        # The buffers are the vectors of spectral norm, equal everywhere, and batch norm's averages, which may differ.
        strategy=DDPStrategy(forward_sync_buffers=False) if world > 1 else "auto",
        plugins=[Autocast(mixed, device.type)] if mixed else None,  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def mean_over(fabric: Fabric) -> Mean:
    """The differentiable mean of a tensor over all processes, each with the same number of values."""
    if fabric.world_size == 1:
        return Tensor.mean

    def mean(values: Tensor) -> Tensor:
        total: Tensor = _Sum.apply(values.mean())  # type: ignore[no-untyped-call]
        return total / fabric.world_size

    return mean


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004 - torch's signature
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004 - torch's signature
        total = gradients[0].clone()
        torch.distributed.all_reduce(total)
        return total
