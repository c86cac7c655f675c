"""Settings of the service, read from the environment (`QRSR_...`).

`python -m service settings` prints the table of them that docs/settings.md has.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from model_store.user_cache import PACKAGED

PREFIX = "QRSR_"
MEBI = 1024 * 1024


class Settings(BaseSettings):
    """Every field has a bound and a description; the table of docs/settings.md is generated from them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    host: Annotated[str, Field(min_length=1, max_length=255, description="Address to listen on.")] = (
        "127.0.0.1"
    )
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port to listen on; 0 takes a free one and logs it.")
    ] = 8000
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="Least severe level that is logged.")
    ] = "info"

    model_store: Annotated[
        Path,
        Field(
            description="Folder of released models; relative to the working directory. Where it is not set and the "
            "working directory has none, the one in the package."
        ),
    ] = Path("model_store")
    model: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Name of the generator to serve."),
    ] = "qr_sr_x4"
    model_version: Annotated[
        int,
        Field(ge=0, le=1_000_000, description="Version of the generator; 0 takes the newest complete one."),
    ] = 0
    drafts: Annotated[
        Literal["auto", "on", "off"],
        Field(
            description="Whether `/decode` looks at the image by the generator's 8-bit copy first, on a CPU; "
            "`auto` does where the copy is faster."
        ),
    ] = "auto"
    payload_prior: Annotated[
        Literal["on", "off"],
        Field(
            description="Whether the soft-decision reader uses what is known of payloads where it reads nothing "
            "without."
        ),
    ] = "on"
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Field(description="Where the generator runs; `cuda` refuses to start when CUDA does not come up."),
    ] = "auto"
    threads: Annotated[
        int,
        Field(ge=1, le=256, description="CPU threads for each of the generator's tiles."),
    ] = 1
    lanes: Annotated[
        int,
        Field(
            ge=0,
            le=64,
            description="Tiles that the generator works on at the same time on a CPU; 0 means one per usable CPU.",
        ),
    ] = 0
    tile: Annotated[
        int,
        Field(
            ge=64, le=2048, description="Side in upload pixels of the tiles that large images are cut into."
        ),
    ] = 384

    max_batch: Annotated[
        int, Field(ge=1, le=64, description="Most tiles in a batch on CUDA; a CPU takes them singly.")
    ] = 16
    batch_pixels: Annotated[
        int, Field(ge=64, le=100_000_000, description="Most upload pixels in a batch on CUDA.")
    ] = 1_048_576
    cuda_memory_mib: Annotated[
        int,
        Field(
            ge=0,
            le=1_048_576,
            description="Most GPU memory of the generator's arena in MiB; 0 for no bound of its own.",
        ),
    ] = 2048
    cuda_conv_search: Annotated[
        Literal["exhaustive", "heuristic", "default"],
        Field(description="How cuDNN chooses convolution algorithms for each shape of the warm-up."),
    ] = "heuristic"

    decoders: Annotated[
        int,
        Field(ge=0, le=64, description="Decoder child processes; 0 means one per usable CPU, at least 2."),
    ] = 0
    decoder_memory_mib: Annotated[
        int,
        Field(
            ge=0,
            le=65536,
            description="Most address space of a decoder child in MiB, beyond which its job fails; 0 for no bound.",
        ),
    ] = 2048
    decoder_recycle: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="Reading attempts after which a decoder child is replaced."),
    ] = 50_000

    max_body_bytes: Annotated[
        int, Field(ge=64 * 1024, le=256 * MEBI, description="Largest request body accepted, in bytes.")
    ] = 10 * MEBI
    max_decode_pixels: Annotated[
        int, Field(ge=64, le=100_000_000, description="Largest width x height accepted by `/decode`.")
    ] = 16_000_000
    max_upscale_pixels: Annotated[
        int,
        Field(
            ge=64,
            le=16_000_000,
            description="Largest width x height that is upscaled (the answer has 16 times as many).",
        ),
    ] = 1_048_576

    max_bytes_inside: Annotated[
        int,
        Field(
            ge=64 * 1024,
            le=2**40,
            description="Most bytes in the bodies of all requests together; more are answered 429.",
        ),
    ] = 128 * MEBI
    pixel_budget: Annotated[
        int,
        Field(
            ge=1_000_000,
            le=10**10,
            description="Most pixels that requests hold together, an enlarged one counting 17 times; others wait.",
        ),
    ] = 48_000_000

    concurrency: Annotated[
        int,
        Field(
            ge=0,
            le=1024,
            description="Requests worked on at the same time; 0 means twice the usable CPUs + 4, or 64 on CUDA.",
        ),
    ] = 0
    queue: Annotated[
        int, Field(ge=0, le=10_000, description="Requests that may wait beyond those; more are answered 429.")
    ] = 64
    deadline_s: Annotated[
        float,
        Field(
            gt=0, le=600, description="Time a request has once its body arrived; later it is answered 504."
        ),
    ] = 20.0
    upload_timeout_s: Annotated[
        float,
        Field(gt=0, le=600, description="Time a client has to send its body; later it is answered 408."),
    ] = 20.0
    shutdown_grace_s: Annotated[
        int, Field(ge=0, le=600, description="Time for accepted requests to finish after SIGTERM.")
    ] = 25

    api_keys: Annotated[
        SecretStr,
        Field(description="Keys that clients must send, separated by commas; empty lets everybody in."),
    ] = SecretStr("")
    api_keys_file: Annotated[
        str,
        Field(
            max_length=4096, description="File with further keys, one a line; lines with `#` are comments."
        ),
    ] = ""
    metrics_need_key: Annotated[bool, Field(description="Whether `/metrics` asks for a key as well.")] = False
    cors_origins: Annotated[
        str,
        Field(
            max_length=10_000,
            description="Origins whose pages may call, separated by commas; `*` for all, empty for none.",
        ),
    ] = ""

    tracing_endpoint: Annotated[
        str,
        Field(
            max_length=2048,
            pattern=r"^(https?://[^\s]+)?$",
            description="Address of an OpenTelemetry collector (OTLP over HTTP, with its path, such as "
            "`http://collector:4318/v1/traces`) that gets a span for each request; empty for no tracing.",
        ),
    ] = ""

    jpeg_quality: Annotated[int, Field(ge=1, le=100, description="Quality of `format=jpeg` answers.")] = 92
    webp_quality: Annotated[
        int, Field(ge=1, le=101, description="Quality of `format=webp` answers; 101 is lossless.")
    ] = 90

    @property
    def store(self) -> Path:
        """The folder of models in use: `model_store`, or the package's own where that is neither set nor there."""
        if "model_store" in self.model_fields_set or (self.model_store / self.model).is_dir():
            return self.model_store
        return PACKAGED


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that are no setting: most likely misspelt, and without any effect."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    return sorted(
        name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def markdown_table() -> str:
    """The table of settings: one row a field, in the order of their definition."""
    rows = ["| Variable | Default | Range | Meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(
            f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_range(field)} | {field.description} |"
        )
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"`{default}`" if default != "" else "empty"


def _range(field: FieldInfo) -> str:
    if field.annotation is bool:
        return "`true`, `false`"
    choices = getattr(field.annotation, "__args__", None)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    low = high = ""
    for rule in field.metadata:
        for attribute, text in (("ge", "{} ≤"), ("gt", "{} <")):
            if getattr(rule, attribute, None) is not None:
                low = text.format(getattr(rule, attribute))
        for attribute, text in (("le", "≤ {}"), ("lt", "< {}")):
            if getattr(rule, attribute, None) is not None:
                high = text.format(getattr(rule, attribute))
    if not low and not high:
        return "path" if field.annotation is Path else "text"
    return f"{low} n {high}".strip()
