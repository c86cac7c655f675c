"""Schema of the file that describes one immutable model version."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MANIFEST_NAME = "manifest.json"
DRAFT = "draft"
"""Folder within a generator's version for a faster copy of it, with a manifest of its own; it may be added later."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ManifestError(Exception):
    """A model version is incomplete, altered or not understood; the message names the file and the reason."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_M = TypeVar("_M", bound=_Model)


class StoredFile(_Model):
    """A file of a model version, beside its manifest."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    sha256: Sha256
    size: Annotated[int, Field(gt=0)]
    """Bytes."""


class GeneratorContract(_Model):
    """What goes into a generator's graph and what comes out. Arrays are `(N, 1, H, W) float32 in [0, 1]`."""

    input: str = "lr"
    output: str = "sr"
    logits: str | None = "logits"
    """Name of the output before the sigmoid, or None where the graph has none."""
    readable: Literal["output", "logits"] = "output"
    """What readers look at: the picture, or the sigmoid of the logits where the picture shows the scene as it is."""
    scale: Literal[4] = 4
    multiple: Annotated[int, Field(ge=1, le=64)] = 2
    """Height and width of the input must be multiples of this."""
    receptive_radius: Annotated[int, Field(ge=0, le=512)] = 32
    """LR pixels around an output pixel that can change it; tiles overlap by at least this much."""


class ReadRate(_Model):
    """One measured decode rate."""

    benchmark: str
    """What was read, and how degraded."""
    command: str
    """The command that measured it."""
    reader: str
    symbols: Annotated[int, Field(gt=0)]
    read_lr: Annotated[float, Field(ge=0, le=1)]
    """Share read from the crop itself."""
    read_sr: Annotated[float, Field(ge=0, le=1)]
    """Share read from the x4 image."""
    misread: Annotated[int, Field(ge=0)]
    """Wrong payloads in both together."""


class Calibration(_Model):
    """Measured log-likelihood ratio of a module for each logit at its centre, by linear interpolation."""

    logit: tuple[float, ...]
    llr: tuple[float, ...]


class TrainingRecord(_Model):
    """Where a generator comes from."""

    commit: str
    steps: Annotated[int, Field(ge=0)]
    samples: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    """Wall-clock time of training."""
    device: str
    config: dict[str, object]
    """The whole training configuration, as in the checkpoint."""


class GeneratorManifest(_Model):
    """`manifest.json` of a generator. It is written last, so that its presence means a complete version."""

    schema_version: Literal[1] = 1
    name: str
    version: Annotated[int, Field(ge=1)]
    created: str
    """ISO 8601, UTC."""
    model: StoredFile
    contract: GeneratorContract
    parameters: Annotated[int, Field(gt=0)]
    training: TrainingRecord
    read_rates: tuple[ReadRate, ...]
    calibration: Calibration | None = None
    copy_of: Sha256 | None = None
    """Of the model that this is a copy of in another precision; None for one that was trained."""
    notes: str = ""


class FolderOnTheWeb(_Model):
    """The files lie side by side under an address."""

    kind: Literal["url"] = "url"
    base: Annotated[str, Field(pattern=r"^https://.+/$")]


class FolderInWheel(_Model):
    """The files lie side by side in a folder of a Python wheel, which is read as an archive."""

    kind: Literal["wheel"] = "wheel"
    requirement: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9._-]+$")]
    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]+/$")]


class ThirdPartyManifest(_Model):
    """`manifest.json` of files by others, which are fetched by hash and never committed."""

    schema_version: Literal[1] = 1
    name: str
    version: Annotated[int, Field(ge=1)]
    license: str
    """SPDX expression."""
    files: Annotated[tuple[StoredFile, ...], Field(min_length=1)]
    sources: tuple[Annotated[FolderOnTheWeb | FolderInWheel, Field(discriminator="kind")], ...]
    """Where to look, in this order. What they give is judged by size and hash alone."""
    notes: str = ""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_generator(version_dir: Path) -> tuple[GeneratorManifest, Path]:
    """Read and verify a generator version.

    Returns the manifest and the path of the ONNX file, whose size and SHA-256 have been checked.

    Raises:
        ManifestError: manifest or model missing, malformed or not matching each other.
    """
    manifest = _read(GeneratorManifest, version_dir)
    verify_file(version_dir, manifest.model)
    return manifest, version_dir / manifest.model.name


def read_third_party(version_dir: Path) -> ThirdPartyManifest:
    """Read the manifest of files by others, whether they have been fetched or not.

    Raises:
        ManifestError: missing or malformed.
    """
    return _read(ThirdPartyManifest, version_dir)


def load_third_party(version_dir: Path) -> ThirdPartyManifest:
    """Read the manifest of files by others and check that all of them lie beside it.

    Raises:
        ManifestError: manifest missing or malformed, or a file missing or different.
    """
    manifest = read_third_party(version_dir)
    for stored in manifest.files:
        verify_file(version_dir, stored)
    return manifest


def _read(schema: type[_M], version_dir: Path) -> _M:
    manifest_path = version_dir / MANIFEST_NAME
    try:
        return schema.model_validate_json(manifest_path.read_bytes())
    except FileNotFoundError as error:
        raise ManifestError(f"{version_dir}: no {MANIFEST_NAME}, so no complete model version") from error
    except ValidationError as error:
        raise ManifestError(f"{manifest_path}: {error}") from error


def verify_file(folder: Path, stored: StoredFile) -> None:
    """Check that `folder` holds the file as described.

    Raises:
        ManifestError: missing, or of another size or hash.
    """
    path = folder / stored.name
    if not path.is_file():
        raise ManifestError(f"{path}: missing")
    if path.stat().st_size != stored.size or sha256_of(path) != stored.sha256:
        raise ManifestError(f"{path}: content differs from its manifest")
