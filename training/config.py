"""Training configuration: TOML in, typed and frozen objects out.

A checkpoint carries its configuration as plain data, so a run can be repeated or resumed from it alone.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from training.data.config import DataConfig, Probability, Section


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file, the key and the reason in one line."""


class GeneratorConfig(Section):
    """The network that turns `lr` into logits four times as wide and high."""

    kind: Literal["compact"] = "compact"
    channels: Annotated[int, Field(ge=4, le=256)] = 32
    """Feature channels at the resolution of the input."""
    body_channels: Annotated[int, Field(ge=4, le=512)] = 64
    """Feature channels at half that resolution, where most layers are."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 5
    """Residual blocks of the body; each widens the receptive field by 8 pixels."""


class LossConfig(Section):
    """Weights of the binary cross-entropy over the pixels of the x4 image."""

    symbol: Annotated[float, Field(ge=0)] = 0.5
    """Anywhere on the symbol."""
    module_centre: Annotated[float, Field(ge=0)] = 2.0
    """Added at the centre of a module, falling off as a Gaussian."""
    module_sigma: Annotated[float, Field(gt=0, le=1)] = 0.22
    """Standard deviation of that Gaussian, in modules."""
    function_patterns: Annotated[float, Field(ge=1)] = 1.5
    """Factor on finder, timing and alignment patterns, to which readers fit the grid."""
    quiet_zone: Annotated[float, Field(ge=0)] = 0.5
    surroundings: Annotated[float, Field(ge=0)] = 0.06


class OptimiserConfig(Section):
    steps: Annotated[int, Field(ge=1)] = 30_000
    batch: Annotated[int, Field(ge=1)] = 16
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1.5e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    warmup_steps: Annotated[int, Field(ge=0)] = 300
    decay_share: Probability = 0.35
    """The learning rate stays constant and falls to zero over this last share of the steps, so that a run
    can be prolonged from any checkpoint before it."""
    gradient_clip: Annotated[float, Field(gt=0)] = 1.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    precision: Literal["float32", "bfloat16"] = "bfloat16"


class RunConfig(Section):
    seed: Annotated[int, Field(ge=0)] = 1
    """Initial weights and the order of samples."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    log_every: Annotated[int, Field(ge=1)] = 50
    image_every: Annotated[int, Field(ge=1)] = 1000
    validate_every: Annotated[int, Field(ge=1)] = 1000
    checkpoint_every: Annotated[int, Field(ge=1)] = 500
    validation_samples: Annotated[int, Field(ge=1)] = 48
    """Samples per validation cell; their symbols come from a bank that training never sees."""
    initial: Path | None = None
    """Checkpoint (its averaged weights) or released ONNX graph to start from instead of random weights; a
    generator with more blocks than it begins by computing the same. Without effect on a resumed run."""


class TrainingConfig(Section):
    """Everything that determines a training run."""

    generator: GeneratorConfig = GeneratorConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _batches_fit_the_pool(self) -> Self:
        drawn = self.data.chunk * self.data.replay
        if drawn % self.optimiser.batch:
            raise ValueError("data.chunk * data.replay must be a multiple of optimiser.batch")
        if self.data.replay > self.data.pool:
            raise ValueError("data.replay cannot exceed data.pool")
        return self


def parse(data: dict[str, object], origin: str) -> TrainingConfig:
    """Check plain data, as read from TOML or a checkpoint.

    Raises:
        ConfigError: unknown key or impossible value; one line that names `origin` and the key.
    """
    try:
        return TrainingConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "configuration"
        raise ConfigError(f"{origin}: {key}: {first['msg']}") from error


def load(path: Path) -> TrainingConfig:
    """Read a TOML file.

    Raises:
        ConfigError: file missing, not TOML, or with an unknown key or impossible value.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return parse(data, str(path))
