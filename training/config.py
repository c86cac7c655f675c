"""Training configuration: from TOML to typed and frozen objects.

A checkpoint carries its configuration as plain data, so a run can be repeated or resumed from it alone.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from training.data.config import DataConfig, Probability, Section
from training.losses.config import AdversarialConfig, BinaryPatternConfig, LossConfig, PerceptualConfig
from training.models.config import (
    CompactConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    UNetDiscriminatorConfig,
)


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file, the key and the reason in one line."""


class OptimiserConfig(Section):
    steps: Annotated[int, Field(ge=1)] = 30_000
    batch: Annotated[int, Field(ge=1)] = 16
    """Samples per step, over all processes together."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1.5e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    warmup_steps: Annotated[int, Field(ge=0)] = 300
    decay_share: Probability = 0.35
    """The learning rate stays constant and falls to zero over this last share of the steps. So a run can be extended
    from any checkpoint before it."""
    gradient_clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of each network's gradient; a larger gradient is scaled down to it."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Decay of the average of the generator's weights, which is released; 0 releases the last weights."""
    precision: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    """Precision of the computation; weights are `float32`. `float16` needs CUDA."""


class RunConfig(Section):
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the initial weights and of the order of samples."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    log_every: Annotated[int, Field(ge=1)] = 50
    image_every: Annotated[int, Field(ge=1)] = 1000
    validate_every: Annotated[int, Field(ge=1)] = 1000
    checkpoint_every: Annotated[int, Field(ge=1)] = 500
    validation_samples: Annotated[int, Field(ge=1)] = 48
    """Samples per validation cell; their symbols come from a bank that training never uses."""
    quality_crops: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Crops on which each validation measures what zxing-cpp reads from the pictures, and their distance from the truth
    by VGG19. The best checkpoint is kept as `best.pt`. 0 for none."""
    patience: Annotated[int, Field(ge=0)] = 0
    """The run ends after so many validations without a better picture; 0 for no such rule."""
    initial: Path | None = None
    """Checkpoint (its averaged weights) or released ONNX graph to start from, instead of random weights. A generator
    with more blocks starts by computing the same. No effect on a resumed run."""


class TrainingConfig(Section):
    """Everything that determines a training run.

    The first phase, which optimises PSNR, has `loss.adversarial = 0`. The second phase starts from its result
    (`run.initial`) and trains against a discriminator.
    """

    generator: GeneratorConfig = CompactConfig()
    discriminator: DiscriminatorConfig = UNetDiscriminatorConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    adversarial: AdversarialConfig = AdversarialConfig()
    perceptual: PerceptualConfig = PerceptualConfig()
    binary_pattern: BinaryPatternConfig = BinaryPatternConfig()
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

    @model_validator(mode="after")
    def _parts_fit_each_other(self) -> Self:
        loss = self.loss
        if not any(
            (loss.cross_entropy, loss.l1, loss.l2, loss.perceptual, loss.adversarial, loss.binary_pattern)
        ):
            raise ValueError("loss: at least one of the parts must have a weight above 0")
        if self.run.patience and not self.run.quality_crops:
            raise ValueError("run.patience needs run.quality_crops above 0")
        if self.generator.in_channels != self.data.channels:
            raise ValueError("generator.in_channels must equal data.channels")
        if self.optimiser.precision == "float16" and self.run.device == "cpu":
            raise ValueError("optimiser.precision: float16 needs CUDA, run.device is cpu")
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
        key = _key(first["loc"], data) or "configuration"
        raise ConfigError(f"{origin}: {key}: {first['msg']}") from error


def _key(location: tuple[int | str, ...], data: Mapping[str, Any]) -> str:
    """The key as in the file; pydantic adds the kind of a section, which is removed."""
    parts: list[str] = []
    value: Any = data
    for number, part in enumerate(location):
        inside = isinstance(value, Mapping) and part in value
        if inside or isinstance(part, int) or number == len(location) - 1:
            parts.append(str(part))
            value = value[part] if inside else None
    return ".".join(parts)


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
