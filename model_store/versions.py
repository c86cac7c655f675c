"""The versions of one name in a model store: folders whose names are whole numbers."""

from pathlib import Path

from model_store.manifest import MANIFEST_NAME, ManifestError


def newest(store: Path, name: str) -> Path | None:
    """Folder of the highest version of `name` that is complete, that is, has a manifest; None without one."""
    complete = (path.parent for path in (store / name).glob(f"*/{MANIFEST_NAME}"))
    numbered = (folder for folder in complete if folder.name.isdecimal())
    return max(numbered, key=lambda folder: int(folder.name), default=None)


def version_folder(store: Path, name: str, version: int = 0) -> Path:
    """Folder of a version, whether it is complete or not; `version` 0 means the newest complete one.

    Raises:
        ManifestError: the newest was asked for, and no version is complete.
    """
    if version:
        return store / name / str(version)
    folder = newest(store, name)
    if folder is None:
        raise ManifestError(f"{store / name}: no released version")
    return folder
