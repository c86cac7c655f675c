"""Files by others for an installed package: found beside their manifest or in the user's folder, fetched once."""

import os
import time
from pathlib import Path

import pytest

from model_store import user_cache
from model_store.fetch import FetchError
from model_store.manifest import ManifestError
from model_store.user_cache import fetch_once, folder_of, located
from tests.model_store.test_fetch import CONTENTS, write_manifest


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A version without its files, in a store that cannot be written to."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "store" / "thing" / "1"
    folder.mkdir(parents=True)
    write_manifest(folder, sources=[])
    return folder


def fill(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)


def test_the_users_folder_follows_the_xdg_variable_and_the_home(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder_of(version) == tmp_path / "cache" / "qr-super-resolution" / "thing" / "1"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    # A relative path is to be ignored (XDG Base Directory Specification).
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        expected = tmp_path / "home" / ".cache" / "qr-super-resolution" / "thing" / "1"
        assert folder_of(version) == expected


def test_files_are_found_in_the_store_first_then_in_the_users_folder(version: Path) -> None:
    with pytest.raises(ManifestError, match="missing"):
        located(version)
    fill(folder_of(version))
    assert located(version) == folder_of(version)
    fill(version)
    assert located(version) == version


def test_an_altered_file_in_the_users_folder_is_not_taken(version: Path) -> None:
    fill(folder_of(version))
    (folder_of(version) / "a.bin").write_bytes(b"evil  file")
    with pytest.raises(ManifestError):
        located(version)


def test_what_is_fetched_once_is_not_fetched_again(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    asked: list[Path] = []

    def source(version_dir: Path, local: None, report: object, *, into: Path) -> None:
        asked.append(version_dir)
        fill(into)

    monkeypatch.setattr(user_cache, "fetch", source)
    for _ in range(2):
        fetch_once(version, lines.append)
    assert asked == [version]
    assert len(lines) == 1
    assert str(folder_of(version)) in lines[0]
    assert located(version) == folder_of(version)


def test_after_a_failure_no_source_is_asked_for_a_day(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    asked: list[Path] = []

    def source(version_dir: Path, local: None, report: object, *, into: Path) -> None:
        asked.append(version_dir)
        raise FetchError("thing 1: no source has the files")

    monkeypatch.setattr(user_cache, "fetch", source)
    for _ in range(2):
        fetch_once(version, lines.append)
    assert len(asked) == 1
    assert [line.partition(":")[0] for line in lines] == [
        "first use",
        "not fetched, so fewer symbols will be read; `qrsr fetch-models` tries again",
    ]
    (mark,) = folder_of(version).iterdir()
    os.utime(mark, (0, time.time() - 25 * 3600))
    fetch_once(version, lines.append)
    assert len(asked) == 2
