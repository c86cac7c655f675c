"""Which version of a model is the newest."""

from pathlib import Path

import pytest

from model_store.manifest import MANIFEST_NAME, ManifestError
from model_store.versions import newest, version_folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Versions 1, 2 and 10 are complete, 11 has no manifest, and `notes` is no version."""
    for name in ("1", "2", "10", "11", "notes"):
        (tmp_path / "model" / name).mkdir(parents=True)
    for name in ("1", "2", "10", "notes"):
        (tmp_path / "model" / name / MANIFEST_NAME).write_text("{}")
    return tmp_path


def test_the_newest_version_is_the_highest_number_with_a_manifest(store: Path) -> None:
    assert newest(store, "model") == store / "model" / "10"
    assert version_folder(store, "model") == store / "model" / "10"


def test_a_version_that_is_named_is_taken_complete_or_not(store: Path) -> None:
    assert version_folder(store, "model", 2) == store / "model" / "2"
    assert version_folder(store, "model", 11) == store / "model" / "11"


def test_a_model_without_versions_has_no_newest_one(store: Path) -> None:
    assert newest(store, "other") is None
    with pytest.raises(ManifestError, match="no released version"):
        version_folder(store, "other")
