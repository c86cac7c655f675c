"""Configuration of the networks: which kind, and how large."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from training.data.config import Probability, Section

Channels = Literal[1, 3]


class CompactConfig(Section):
    """The served family: most layers at half the resolution of the input."""

    kind: Literal["compact"] = "compact"
    in_channels: Channels = 1
    channels: Annotated[int, Field(ge=4, le=256)] = 32
    """Feature channels at the resolution of the input."""
    body_channels: Annotated[int, Field(ge=4, le=512)] = 64
    """Feature channels at half that resolution, where most layers are."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 5
    """Residual blocks of the body; each widens the receptive field by 8 pixels."""


class TwoOutputsConfig(Section):
    """Logits for readers and a picture for people from one trunk at half the input's resolution."""

    kind: Literal["two_outputs"]
    in_channels: Literal[1] = 1
    channels: Annotated[int, Field(ge=4, le=256)] = 48
    """Feature channels."""
    dilations: Annotated[
        tuple[Annotated[int, Field(ge=1, le=8)], ...], Field(min_length=1, max_length=64)
    ] = (1, 2, 2)
    """Dilations of the second convolutions of the residual blocks, one for each block."""
    picture_channels: Annotated[int, Field(ge=4, le=256)] = 24
    """Feature channels of the picture's own branch."""
    picture_gradient: Probability = 0.0
    """Share of the gradient of the picture's losses that reaches the trunk, and so changes the logits."""


class SRResNetConfig(Section):
    """SRGAN's generator (Ledig et al. 2017)."""

    kind: Literal["srresnet"]
    in_channels: Channels = 1
    channels: Annotated[int, Field(ge=4, le=512)] = 64
    blocks: Annotated[int, Field(ge=1, le=64)] = 16
    batch_norm: bool = False
    """Keep SRGAN's batch norm, which the paper removes."""


class RRDBConfig(Section):
    """ESRGAN's generator (Wang et al. 2018)."""

    kind: Literal["rrdb"]
    in_channels: Channels = 1
    channels: Annotated[int, Field(ge=4, le=512)] = 64
    growth: Annotated[int, Field(ge=4, le=256)] = 32
    """Channels that each convolution of a dense block adds."""
    blocks: Annotated[int, Field(ge=1, le=32)] = 23
    """Residual-in-residual blocks, of three dense blocks each."""


def _kind(value: Any) -> str | None:
    """The kind of a section; old configurations name none."""
    return value.get("kind", "compact") if isinstance(value, dict) else getattr(value, "kind", None)


GeneratorConfig = Annotated[
    Annotated[CompactConfig, Tag("compact")]
    | Annotated[TwoOutputsConfig, Tag("two_outputs")]
    | Annotated[SRResNetConfig, Tag("srresnet")]
    | Annotated[RRDBConfig, Tag("rrdb")],
    Discriminator(
        _kind,
        custom_error_type="kind",
        custom_error_message="kind must be 'compact', 'two_outputs', 'srresnet' or 'rrdb'",
    ),
]


class VGGDiscriminatorConfig(Section):
    """SRGAN's discriminator: one logit for a picture."""

    kind: Literal["vgg"] = "vgg"
    channels: Annotated[int, Field(ge=4, le=256)] = 64
    """Of the first convolution; the deepest ones have eight times as many."""
    batch_norm: bool = True
    spectral_norm: bool = False
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-4


class UNetDiscriminatorConfig(Section):
    """Real-ESRGAN's discriminator: one logit for each pixel."""

    kind: Literal["unet"] = "unet"
    channels: Annotated[int, Field(ge=4, le=256)] = 64
    """Of the first convolution; the deepest one has eight times as many."""
    spectral_norm: bool = True
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-4


def _discriminator_kind(value: Any) -> str | None:
    return value.get("kind", "unet") if isinstance(value, dict) else getattr(value, "kind", None)


DiscriminatorConfig = Annotated[
    Annotated[VGGDiscriminatorConfig, Tag("vgg")] | Annotated[UNetDiscriminatorConfig, Tag("unet")],
    Discriminator(
        _discriminator_kind, custom_error_type="kind", custom_error_message="kind must be 'vgg' or 'unet'"
    ),
]
