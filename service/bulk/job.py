"""Description of a run, stored beside its result: a run is only continued by an equal one."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from model_store.manifest import load_generator
from model_store.versions import version_folder
from service.generator.draft import copy_of
from service.imaging import Format
from service.machine import has_8_bit_instructions
from service.pipeline.decoder import wechat_files
from service.settings import Settings

_LIMITS = (
    "max_body_bytes",
    "max_decode_pixels",
    "max_upscale_pixels",
    "tile",
    "jpeg_quality",
    "webp_quality",
)
"""Settings that affect the row of a file."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sources(_Frozen):
    """The sources of the file names."""

    root: str
    """Absolute; other paths are relative to it."""
    paths: tuple[str, ...]
    """Files and folders."""
    lists: tuple[str, ...]
    """See `service.bulk.file_lists`; `-` is standard input."""
    column: str | None
    match: tuple[str, ...]


class Made(_Frozen):
    """What the answers depend on. Equal values give equal answers, apart from rounding and time limits."""

    model: str
    version: int
    sha256: str
    """SHA-256 of the generator's ONNX file."""
    draft: str = ""
    """SHA-256 of its draft; empty where drafts are off."""
    wechat_nets: bool
    limits: dict[str, int]

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """The values for these settings on this machine.

        Raises:
            ManifestError: the generator is missing or incomplete.
        """
        folder = version_folder(settings.store, settings.model, settings.model_version)
        manifest, _ = load_generator(folder)
        return cls(
            model=manifest.name,
            version=manifest.version,
            sha256=manifest.model.sha256,
            draft=_draft(folder) if drafts_of(settings) == "on" else "",
            wechat_nets=wechat_files(settings.store) is not None,
            limits={name: getattr(settings, name) for name in _LIMITS},
        )


def drafts_of(settings: Settings) -> Literal["on", "off"]:
    """Whether a run uses drafts; for `auto` by the instructions of this CPU and not by a measurement, which could come
    out otherwise when the run goes on."""
    if settings.drafts == "auto":
        return "on" if has_8_bit_instructions() else "off"
    return settings.drafts


def _draft(version_dir: Path) -> str:
    folder = copy_of(version_dir)
    return "" if folder is None else load_generator(folder)[0].model.sha256


class Work(_Frozen):
    """The operation on each file."""

    command: Literal["read", "upscale"]
    format: Format | None = None
    """Format of enlarged images."""


class Job(_Frozen):
    """A run, which may be interrupted and continued."""

    schema_version: Literal[1] = 1
    sources: Sources
    work: Work
    made: Made

    def differences(self, other: "Job") -> list[str]:
        """Names of the fields that differ, such as `made.version`."""
        mine, theirs = (_flat(job.model_dump()) for job in (self, other))
        return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))


class Task(_Frozen):
    """The part of a job that a worker needs besides its settings."""

    work: Work
    root: str
    out: Annotated[str | None, Field(description="Absolute folder of enlarged images.")]

    def source(self, name: str) -> str:
        """Path of the file with this name."""
        return os.path.join(self.root, name)


def _flat(tree: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def enlarged_name(name: str, *, root: str, kind: Format) -> Path:
    """Where the enlarged image of a file goes, relative to the folder of all of them.

    `.x4.` and the format follow the whole name, so that no two files share a place: `a/b.jpg` becomes
    `a/b.jpg.x4.png`. Files outside of `root` go below `_abs` by their absolute paths.
    """
    absolute = Path(os.path.normpath(os.path.join(root, name)))
    inside = absolute.is_relative_to(root)
    relative = absolute.relative_to(root) if inside else absolute
    if not inside or relative.parts[:1] == ("_abs",):
        relative = Path("_abs", *absolute.parts[1:])
    return relative.with_name(f"{relative.name}.x4.{kind}")
