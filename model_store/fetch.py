"""Brings the files that a manifest names by hash from the first source that has them."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from model_store.manifest import (
    FolderOnTheWeb,
    ManifestError,
    StoredFile,
    ThirdPartyManifest,
    read_third_party,
    verify_file,
)
from model_store.sources import Contents, SourceError, from_folder, from_web, from_wheel


class FetchError(Exception):
    """No source has the files; the message tells, source by source, why."""


def fetch(
    version_dir: Path, local: Path | None, report: Callable[[str], None], *, into: Path | None = None
) -> None:
    """Bring the files of a third-party version that are missing or altered, verified by size and SHA-256.

    Each file appears whole or not at all, and nothing is asked of any source when all are there.

    Args:
        version_dir: the folder of the manifest.
        local: a folder to look into before the manifest's sources.
        report: called with one line for each source that fails and for the outcome.
        into: the folder for the files; without it, the manifest's own.

    Raises:
        FetchError: no source has all that is missing.
        ManifestError: the manifest is missing or malformed.
    """
    manifest = read_third_party(version_dir)
    folder = into or version_dir
    wanted = [stored for stored in manifest.files if not _is_there(folder, stored)]
    label = f"{manifest.name} {manifest.version}"
    if not wanted:
        report(f"{label}: complete, {len(manifest.files)} files verified")
        return
    failures = []
    for name, source in _sources(manifest, local):
        try:
            contents = source(wanted)
            for stored in wanted:
                _check(contents[stored.name], stored)
        except SourceError as error:
            report(f"{label}: not from {name}: {error}")
            failures.append(f"{name}: {error}")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        for stored in wanted:
            _write(folder / stored.name, contents[stored.name])
        report(f"{label}: {len(wanted)} files from {name}, verified")
        return
    raise FetchError(f"{label}: no source has the files ({'; '.join(failures)})")


def _sources(
    manifest: ThirdPartyManifest, local: Path | None
) -> list[tuple[str, Callable[[Sequence[StoredFile]], Contents]]]:
    sources: list[tuple[str, Callable[[Sequence[StoredFile]], Contents]]] = []
    if local is not None:
        sources.append(("the local folder", partial(from_folder, local)))
    for source in manifest.sources:
        if isinstance(source, FolderOnTheWeb):
            sources.append(("the upstream repository", partial(from_web, source)))
        else:
            sources.append((f"the wheel {source.requirement}", partial(from_wheel, source)))
    return sources


def _is_there(folder: Path, stored: StoredFile) -> bool:
    try:
        verify_file(folder, stored)
    except ManifestError:
        return False
    return True


def _check(content: bytes, stored: StoredFile) -> None:
    if len(content) != stored.size or hashlib.sha256(content).hexdigest() != stored.sha256:
        raise SourceError(f"{stored.name} is another file than the manifest's")


def _write(path: Path, content: bytes) -> None:
    """Write beside the destination and rename, so that nobody ever sees half a file."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
