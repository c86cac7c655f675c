"""Places that files by others can come from. What comes is judged by the caller, by size and hash."""

import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO

from model_store.manifest import FolderInWheel, FolderOnTheWeb, StoredFile

_URL_TIMEOUT = 5.0
"""Seconds without an answer after which an address counts as unreachable."""
_PIP_TIMEOUT = 180.0

Contents = dict[str, bytes]


class SourceError(Exception):
    """A source cannot give the files; the message is one line."""


def from_folder(folder: Path, files: Sequence[StoredFile]) -> Contents:
    """Contents by name, from a folder of this machine.

    Raises:
        SourceError: one cannot be read.
    """
    contents = {}
    for stored in files:
        try:
            with (folder / stored.name).open("rb") as stream:
                contents[stored.name] = _read(stream, stored)
        except OSError as error:
            raise SourceError(f"{folder / stored.name}: {error.strerror}") from error
    return contents


def from_web(source: FolderOnTheWeb, files: Sequence[StoredFile]) -> Contents:
    """Contents by name, over HTTPS.

    Raises:
        SourceError: an address did not answer, or not with the file.
    """
    contents = {}
    for stored in files:
        address = source.base + stored.name
        try:
            # The scheme is https: the manifest's schema asks for it.
            with urllib.request.urlopen(address, timeout=_URL_TIMEOUT) as stream:  # noqa: S310
                contents[stored.name] = _read(stream, stored)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise SourceError(f"{address}: {reason}") from error
    return contents


def from_wheel(source: FolderInWheel, files: Sequence[StoredFile]) -> Contents:
    """Contents by name, from a wheel that pip finds by its own configuration.

    The wheel is read as an archive; nothing in it is installed or run.

    Raises:
        SourceError: pip did not find the wheel, or it does not hold a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        _download(source.requirement, folder)
        wheels = sorted(Path(folder).glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"{source.requirement}: pip brought {len(wheels)} wheels instead of one")
        try:
            with zipfile.ZipFile(wheels[0]) as archive:
                return {
                    stored.name: _member(archive, source.folder + stored.name, stored) for stored in files
                }
        except (KeyError, zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"{wheels[0].name}: {error}") from error


def _download(requirement: str, folder: str) -> None:
    # Wheels only: pip runs code of what it builds from source.
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--dest", folder]
    try:
        outcome = subprocess.run(  # noqa: S603 - this interpreter; the requirement is checked by the schema
            [sys.executable, "-m", "pip", "download", *options, requirement],
            capture_output=True,
            text=True,
            timeout=_PIP_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{requirement}: pip took longer than {_PIP_TIMEOUT:.0f} s") from error
    if outcome.returncode != 0:
        lines = outcome.stderr.strip().splitlines() or ["no message"]
        raise SourceError(f"{requirement}: pip download failed: {lines[-1]}")


def _member(archive: zipfile.ZipFile, path: str, stored: StoredFile) -> bytes:
    with archive.open(path) as stream:
        return _read(stream, stored)


def _read(stream: IO[bytes], stored: StoredFile) -> bytes:
    """One byte more than expected tells a longer file apart, whose rest is not read."""
    return stream.read(stored.size + 1)
