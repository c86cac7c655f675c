"""Configuration of the training data: symbols, the scenes they stand in, and what the pictures suffer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class Section(BaseModel):
    """A table of the configuration file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SymbolConfig(Section):
    """Which QR symbols a data set draws from."""

    count: Annotated[int, Field(ge=1, le=1_000_000)] = 6000
    """Distinct symbols in the bank."""
    versions: tuple[Annotated[int, Field(ge=1, le=40)], Annotated[int, Field(ge=1, le=40)]] = (1, 40)
    """Lowest and highest version, both included."""


class SceneConfig(Section):
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


class DegradationConfig(Section):
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


class DataConfig(Section):
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
