"""Configuration of the training data: symbols, scenes, and degradations."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    """How a symbol appears in the picture. Probabilities are per sample."""

    px_per_module: Range = (0.9, 3.5)
    """LR pixels per module; drawn log-uniformly."""
    hard_px_per_module: Range = (0.95, 1.7)
    """A narrower range around the limit of legibility ..."""
    hard_share: Probability = 0.7
    """... from which this share of the samples is drawn."""
    large_px_per_module: Range = (3.5, 16.0)
    """Modules that need no enlargement, so that the generator learns to keep them as they are ..."""
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
    styled: Probability = 0.0
    """Share of symbols with a style, such as round finders, dots, tiles, gradients or a logo: see
    `training.data.styles`."""
    faint_ink: Probability = 0.0
    """Share of symbols with light colours on white."""
    extreme_light: Probability = 0.0
    """Share of scenes with hard shadows, patches of light, or a symbol in a few hundredths of the range: see
    `training.data.light`."""


class BlurConfig(Section):
    """Blur by one kernel out of seven kinds (Wang et al. 2021, section 3.1 and equation 6)."""

    probability: Probability = 1.0
    sinc: Probability = 0.1
    """Share of sinc filters, which cause ringing; the others follow `shares`."""
    shares: tuple[Probability, Probability, Probability, Probability, Probability, Probability] = (
        0.45, 0.25, 0.12, 0.03, 0.12, 0.03,
    )  # fmt: skip
    """Gaussian, anisotropic Gaussian, generalised Gaussian, the same anisotropic, plateau, anisotropic plateau."""
    sigma: Range = (0.2, 3.0)
    """Standard deviation in pixels of the picture that is blurred."""
    generalised_beta: Range = (0.5, 4.0)
    plateau_beta: Range = (1.0, 2.0)

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        if abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError("shares must sum to 1")
        return self


class PassConfig(Section):
    """One pass of blur, resizing, noise and JPEG."""

    blur: BlurConfig = BlurConfig()
    resize_shares: tuple[Probability, Probability, Probability] = (0.2, 0.7, 0.1)
    """Enlarged, reduced, kept."""
    resize: Range = (0.15, 1.5)
    """Least and greatest factor, around 1."""
    gaussian_noise: Probability = 0.5
    """Share of the samples with Gaussian noise; the others have Poisson noise."""
    noise_sigma: Range = (1.0, 30.0)
    """Standard deviation of Gaussian noise, of 255."""
    poisson_scale: Range = (0.05, 3.0)
    """Strength of Poisson noise: 1 is that of 256 photons at white."""
    grey_noise: Probability = 0.4
    """Share of the samples whose channels all have the same noise."""
    jpeg_quality: Range = (30, 95)

    @model_validator(mode="after")
    def _resize_is_possible(self) -> Self:
        if abs(sum(self.resize_shares) - 1) > 1e-6:
            raise ValueError("resize_shares must sum to 1")
        if not 0.05 <= self.resize[0] <= 1 <= self.resize[1] <= 4:
            raise ValueError("resize must be a range around 1 within 0.05 to 4")
        return self


class SecondOrderConfig(Section):
    """The degradation model of Real-ESRGAN (Wang et al. 2021); the defaults are its published training options."""

    first: PassConfig = PassConfig()
    second: PassConfig = PassConfig(
        blur=BlurConfig(probability=0.8, sigma=(0.2, 1.5)),
        resize_shares=(0.3, 0.4, 0.3), resize=(0.3, 1.2),
        noise_sigma=(1.0, 25.0), poisson_scale=(0.05, 2.5),
    )  # fmt: skip
    """Its factor of resizing is relative to the size of the LR picture."""
    final_sinc: Probability = 0.8
    """Share of the samples with a last sinc filter, before or after the last JPEG, each half of the time."""


class DegradationConfig(Section):
    """The effects of lens, camera and messenger on the scene. Probabilities are per sample."""

    kind: Literal["camera", "second_order", "first_order", "jpeg_10", "bicubic"] = "camera"
    """`camera`: lens, sensor, camera's JPEG, reduction, messenger, by the keys below. `second_order`: by the table
    of that name; `first_order`: its first pass alone. `jpeg_10`: bicubic reduction and JPEG of quality 10.
    `bicubic`: the reduction alone."""
    second_order: SecondOrderConfig = SecondOrderConfig()
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


class FolderConfig(Section):
    """Pictures on disk, instead of synthetic symbols."""

    hr: Path
    """Folder of HR pictures; with `lr`, the HR pictures of pairs."""
    lr: Path | None = None
    """Folder of LR pictures with a quarter of the width and height, and the same file names up to the suffix. Without
    it, `data.degradation` makes LR from HR."""


class DataConfig(Section):
    """Training data: synthetic symbols, or pictures from a folder."""

    folder: FolderConfig | None = None
    """None draws synthetic symbols."""
    channels: Literal[1, 3] = 1
    """1 for luma, 3 for RGB."""
    picture: Literal["symbol", "scene"] = "symbol"
    """Target of the picture output: the clean symbol, or the scene before lens and camera, in its own light."""
    scene_blur: Annotated[float, Field(ge=0, le=3)] = 0.7
    """For `scene`: standard deviation in HR pixels of the Gaussian that gives it the soft edges of a lens."""
    sharpen_target: bool = False
    """Whether the target is the unsharp-masked HR picture (Wang et al. 2021, section 3.3)."""
    teacher: Path | None = None
    """Checkpoint, or folder of a released version, from whose probabilities the logits learn, together with the clean
    symbol (Hinton et al. 2015). None for no teacher."""
    teacher_share: Probability = 0.7
    """Weight of the teacher's probabilities in the target of the logits; the clean symbol has the rest."""
    seed: Annotated[int, Field(ge=0)] = 1
    lr_size: Annotated[int, Field(ge=16, le=256, multiple_of=8)] = 64
    """Height and width of an LR sample."""
    chunk: Annotated[int, Field(ge=1)] = 16
    """Samples generated at a time."""
    pool: Annotated[int, Field(ge=1)] = 32
    """Chunks held in memory, from which batches are drawn; each new chunk replaces the oldest."""
    replay: Annotated[int, Field(ge=1, le=64)] = 4
    """How often each sample is used on average, each time in another of the eight orientations."""
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes that generate on the CPU; 0 generates on the training device between steps."""
    textures: Annotated[int, Field(ge=1)] = 96
    """Number of textures in the bank."""
    symbols: SymbolConfig = SymbolConfig()
    scene: SceneConfig = SceneConfig()
    degradation: DegradationConfig = DegradationConfig()
