"""Find a released generator in the model store."""

from pathlib import Path

from model_store.manifest import MANIFEST_NAME, ManifestError


def version_folder(store: Path, name: str, version: int) -> Path:
    """Folder of a generator version; `version` 0 means the newest one that is complete (has a manifest).

    Raises:
        ManifestError: there is none.
    """
    if version:
        return store / name / str(version)
    complete = [
        int(manifest.parent.name)
        for manifest in (store / name).glob(f"*/{MANIFEST_NAME}")
        if manifest.parent.name.isdecimal()
    ]
    if not complete:
        raise ManifestError(f"{store / name}: no released version")
    return store / name / str(max(complete))
