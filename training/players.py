"""The two networks of adversarial training, each with its optimiser, and one step of both."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from training.config import OptimiserConfig, TrainingConfig
from training.data.samples import Samples
from training.devices import mean_over
from training.discriminator_view import view_channels, views
from training.ema import WeightAverage
from training.errors import TrainingError
from training.initial import load_initial
from training.losses.adversarial import discriminator_loss, generator_loss
from training.models.factory import build_discriminator, build_generator
from training.objective import Objective


def rate_factor(config: OptimiserConfig, step: int) -> float:
    """Share of the configured learning rate at `step` (from 1): linear warm-up, plateau, cosine to zero."""
    warmup = min(1.0, step / max(1, config.warmup_steps))
    tail = config.steps * config.decay_share
    left = config.steps - step
    decay = 0.5 - 0.5 * math.cos(math.pi * min(1.0, left / tail)) if tail else 1.0
    return warmup * decay


@dataclass(frozen=True)
class Player:
    """A network and its optimiser."""

    name: str
    network: nn.Module
    """The bare network; its state goes into checkpoints."""
    forward: nn.Module
    """The same network as used in training: in the run's precision, with gradients averaged over all processes."""
    optimiser: torch.optim.Optimizer
    rate: float
    """Learning rate before its schedule."""

    @staticmethod
    def make(name: str, network: nn.Module, rate: float, weight_decay: float, fabric: Fabric) -> "Player":
        """Put `network` on the device of this process, with AdamW."""
        network = network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        adam = torch.optim.AdamW(network.parameters(), rate, weight_decay=weight_decay)
        forward, optimiser = fabric.setup(network, adam)
        return Player(name, network, forward, optimiser, rate)

    def learn(self, loss: Tensor, step: int, config: OptimiserConfig, fabric: Fabric) -> float:
        """One optimiser step on `loss`; returns the norm of the gradient before clipping.

        Raises:
            TrainingError: loss or gradient is infinite or NaN.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * rate_factor(config, step)
        self.optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        clipped = fabric.clip_gradients(
            self.forward, self.optimiser, max_norm=config.gradient_clip, error_if_nonfinite=False
        )
        norm = float(clipped) if clipped is not None else math.nan
        # In float16 an overflow is normal: the scaler skips that step and scales less.
        checked = loss.item() if config.precision == "float16" else norm
        if not math.isfinite(checked):
            raise TrainingError(f"step {step}: {self.name}: loss {loss.item()}, gradient norm {norm}")
        self.optimiser.step()
        return norm


class Players:
    """Generator, its averaged weights, and the discriminator if the loss has an adversarial part."""

    def __init__(self, config: TrainingConfig, fabric: Fabric, cache: Path, *, fresh: bool = True) -> None:
        """Networks with random weights from the run's seed or, if `fresh`, from `run.initial`.

        Raises:
            CheckpointError: the configured initial weights cannot be used.
            WeightsError: the perceptual loss lacks its network.
        """
        self._config, self._fabric = config, fabric
        self._mean = mean_over(fabric)
        self._objective = Objective(config, fabric.device, cache, self._mean)
        torch.manual_seed(config.run.seed)
        generator = build_generator(config.generator)
        if config.run.initial and fresh:
            load_initial(generator, config.run.initial)
        optimiser = config.optimiser
        self.generator = Player.make(
            "generator", generator, optimiser.learning_rate, optimiser.weight_decay, fabric
        )
        self.average = WeightAverage(self.generator.network, optimiser.ema_decay)
        self.discriminator = (
            Player.make(
                "discriminator",
                build_discriminator(config.discriminator, view_channels(config)),
                config.discriminator.learning_rate,
                0.0,
                fabric,
            )
            if config.loss.adversarial
            else None
        )

    def step(self, samples: Samples, step: int) -> dict[str, float | Tensor]:
        """Optimiser step `step` (from 1) of both networks on this process' share of a batch.

        Returns the scalars of the step: `g_loss` and its parts before weighting, `gradient_norm`, and with a
        discriminator `d_loss`, `d_gradient_norm`, `d_hr` and `d_sr`, its mean logits.

        Raises:
            TrainingError: a loss is infinite or NaN.
        """
        outputs = self.generator.forward(samples.lr.contiguous(memory_format=torch.channels_last))
        with self._fabric.autocast():
            parts = self._objective.parts(outputs, samples, step)
        if self.discriminator:
            hr, sr = views(samples, outputs.sr, self._config, step)
            parts["adversarial"] = self._persuade(self.discriminator, hr, sr)
        loss = self._objective.total(parts, step)
        norm = self.generator.learn(loss, step, self._config.optimiser, self._fabric)
        self.average.update(self.generator.network, step)
        scalars: dict[str, float | Tensor] = {"g_loss": loss.detach(), "gradient_norm": norm}
        scalars |= {name: part.detach() for name, part in parts.items()}
        if self.discriminator:
            scalars |= self._judge(self.discriminator, hr, sr.detach(), step)
        return scalars

    def _persuade(self, opponent: Player, hr: Tensor, sr: Tensor) -> Tensor:
        """The adversarial part of the generator's loss."""
        # The bare network without gradients of its own: its weights do not change here, so processes need no exchange.
        judge = opponent.network.requires_grad_(False)
        with self._fabric.autocast():
            with torch.no_grad():
                on_hr = judge(hr)
            on_sr = judge(sr)
        judge.requires_grad_(True)
        return generator_loss(self._config.adversarial.kind, on_hr.float(), on_sr.float(), self._mean)

    def _judge(self, player: Player, hr: Tensor, sr: Tensor, step: int) -> dict[str, float | Tensor]:
        on_hr, on_sr = player.forward(hr), player.forward(sr)
        loss = discriminator_loss(self._config.adversarial.kind, on_hr, on_sr, self._mean)
        norm = player.learn(loss, step, self._config.optimiser, self._fabric)
        return {
            "d_loss": loss.detach(),
            "d_gradient_norm": norm,
            "d_hr": on_hr.detach().mean(),
            "d_sr": on_sr.detach().mean(),
        }

    def state(self) -> dict[str, Any]:
        """The fields of a checkpoint with the state of both networks."""
        opponent = self.discriminator
        scaler = getattr(self._fabric.strategy.precision, "scaler", None)
        return {
            "generator": self.generator.network.state_dict(),
            "ema": self.average.average.state_dict(),
            "optimiser": self.generator.optimiser.state_dict(),
            "discriminator": opponent.network.state_dict() if opponent else None,
            "discriminator_optimiser": opponent.optimiser.state_dict() if opponent else None,
            "scaler": scaler.state_dict() if scaler else None,
        }

    def restore(self, state: Any) -> None:
        """Restore everything from a checkpoint of the same networks."""
        self.generator.network.load_state_dict(state.generator)
        self.average.average.load_state_dict(state.ema)
        self.generator.optimiser.load_state_dict(state.optimiser)
        if self.discriminator:
            self.discriminator.network.load_state_dict(state.discriminator)
            self.discriminator.optimiser.load_state_dict(state.discriminator_optimiser)
        scaler = getattr(self._fabric.strategy.precision, "scaler", None)
        if scaler and state.scaler:
            scaler.load_state_dict(state.scaler)
