"""Training configuration: TOML in, typed and frozen objects out.

A checkpoint carries its configuration as plain data, so a run can be repeated or resumed from it alone.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Probability = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file, the key and the reason in one line."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GeneratorConfig(_Section):
    """The network that turns `lr` into logits four times as wide and high."""

    kind: Literal["compact"] = "compact"
    channels: Annotated[int, Field(ge=4, le=256)] = 32
    """Feature channels at the resolution of the input."""
    body_channels: Annotated[int, Field(ge=4, le=512)] = 64
    """Feature channels at half that resolution, where most layers are."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 5
    """Residual blocks of the body; each widens the receptive field by 8 pixels."""


class SymbolConfig(_Section):
    """Which QR symbols a data set draws from."""

    count: Annotated[int, Field(ge=1, le=1_000_000)] = 6000
    """Distinct symbols in the bank."""
    versions: tuple[Annotated[int, Field(ge=1, le=40)], Annotated[int, Field(ge=1, le=40)]] = (1, 40)
    """Lowest and highest version, both included."""


class SceneConfig(_Section):
    """How a symbol stands in the picture. Probabilities are per sample."""

    px_per_module: Range = (0.9, 3.5)
    """LR pixels per module; drawn log-uniformly."""
    hard_px_per_module: Range = (0.95, 1.7)
    """A narrower range around the limit of legibility ..."""
    hard_share: Probability = 0.7
    """... from which this share of the samples is drawn."""
    large_px_per_module: Range = (3.5, 16.0)
    """Modules that need no enlarging, so that the generator learns to leave them as they are ..."""
    large_share: Probability = 0.0
    """... from which this share of the samples is drawn."""
    upright: Probability = 0.45
    perspective: Probability = 0.5
    curved: Probability = 0.2
    inverted: Probability = 0.1
    ink_spread: Probability = 0.5
    dotted: Probability = 0.08
    damaged: Probability = 0.12
    uneven_light: Probability = 0.6
    glare: Probability = 0.08
    gamma: Probability = 0.4


class DegradationConfig(_Section):
    """What lens, camera and messenger do to the scene. Probabilities are per sample."""

    blur: Probability = 0.85
    motion: Probability = 0.2
    defocus: Probability = 0.2
    camera_noise: Probability = 0.6
    sharpen: Probability = 0.4
    camera_jpeg: Probability = 0.4
    noise: Probability = 0.3
    jpeg: Probability = 0.75
    jpeg_quality: Range = (8, 95)
    """Quality of the last compression."""
    double_jpeg: Probability = 0.15
    shifted_jpeg_grid: Probability = 0.5
    """Share of the compressed samples whose 8x8 blocks do not start at the corner of the crop."""


class DataConfig(_Section):
    """Synthetic training data."""

    seed: Annotated[int, Field(ge=0)] = 1
    lr_size: Annotated[int, Field(ge=16, le=256, multiple_of=8)] = 64
    """Height and width of an LR sample."""
    chunk: Annotated[int, Field(ge=1)] = 16
    """Samples generated at a time."""
    pool: Annotated[int, Field(ge=1)] = 32
    """Chunks held in memory, from which batches are drawn; each new chunk replaces the oldest."""
    replay: Annotated[int, Field(ge=1, le=64)] = 4
    """How often each sample is seen on average, each time in another of the eight orientations."""
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes that generate on the CPU; 0 generates on the training device between steps."""
    textures: Annotated[int, Field(ge=1)] = 96
    """Surroundings in the bank."""
    symbols: SymbolConfig = SymbolConfig()
    scene: SceneConfig = SceneConfig()
    degradation: DegradationConfig = DegradationConfig()


class LossConfig(_Section):
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


class OptimiserConfig(_Section):
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


class RunConfig(_Section):
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


class TrainingConfig(_Section):
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
