"""Where files by others lie when the store itself cannot hold them: an installed package is not written to.

The files are judged by the store's own manifest, wherever they lie.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from model_store.fetch import FetchError, fetch
from model_store.manifest import ManifestError, ThirdPartyManifest, read_third_party, verify_file

PACKAGED = Path(__file__).parent
"""The store that comes with the package."""
_PATIENCE_S = 24 * 3600
"""After a failure, the time in which no source is asked again without being told to."""
_FAILED = ".failed"


def folder_of(version_dir: Path) -> Path:
    """The user's folder for the files of a third-party version, whether it exists or not.

    It is below `$XDG_CACHE_HOME`, or `~/.cache` (XDG Base Directory Specification).
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~"), ".cache")
    return root / "qr-super-resolution" / version_dir.parent.name / version_dir.name


def located(version_dir: Path) -> Path:
    """The folder that has all files of a third-party version: its own or the user's.

    Raises:
        ManifestError: neither has; the message is about its own.
    """
    manifest = read_third_party(version_dir)
    try:
        _verify(version_dir, manifest)
    except ManifestError:
        cached = folder_of(version_dir)
        try:
            _verify(cached, manifest)
        except ManifestError:
            _verify(version_dir, manifest)
        return cached
    return version_dir


def fetch_once(version_dir: Path, report: Callable[[str], None]) -> None:
    """Bring the files of a third-party version into the user's folder, unless they are to be had already.

    No source is asked within a day of a failure.

    Args:
        report: called with one line when something is fetched, and with one when it cannot be.

    Raises:
        ManifestError: the manifest is missing or malformed.
    """
    try:
        located(version_dir)
        return
    except ManifestError:
        manifest = read_third_party(version_dir)
    folder = folder_of(version_dir)
    failed = folder / _FAILED
    if failed.is_file() and time.time() - failed.stat().st_mtime < _PATIENCE_S:
        return
    size = sum(stored.size for stored in manifest.files) / 1e6
    report(f"first use: fetching {manifest.name} ({size:.1f} MB, checked by hash) into {folder}")
    try:
        fetch(version_dir, None, lambda _: None, into=folder)
    except (FetchError, OSError) as error:
        report(f"not fetched, so fewer symbols will be read; `qrsr fetch-models` tries again: {error}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            failed.touch()
        except OSError:
            return
    else:
        failed.unlink(missing_ok=True)


def _verify(folder: Path, manifest: ThirdPartyManifest) -> None:
    for stored in manifest.files:
        verify_file(folder, stored)
