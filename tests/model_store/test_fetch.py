"""Fetching files by hash: from a folder, over HTTPS, from a wheel, from nowhere. No test uses the network."""

import hashlib
import io
import json
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import model_store
from model_store.__main__ import main
from model_store.fetch import FetchError, fetch
from model_store.manifest import ManifestError, load_third_party, read_third_party

CONTENTS = {"a.bin": b"first file", "b.bin": b"second file, longer"}


def write_manifest(folder: Path, **changes: object) -> None:
    manifest: dict[str, object] = {
        "name": "thing",
        "version": 1,
        "license": "Apache-2.0",
        "files": [
            {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in CONTENTS.items()
        ],
        "sources": [
            {"kind": "url", "base": "https://example.invalid/commit/"},
            {"kind": "wheel", "requirement": "thing==1.0", "folder": "thing/files/"},
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    version = tmp_path / "store" / "thing" / "1"
    version.mkdir(parents=True)
    write_manifest(version)
    return version


@pytest.fixture
def local(tmp_path: Path) -> Path:
    folder = tmp_path / "local"
    folder.mkdir()
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    return folder


class World:
    """What the web and pip answer, and how often they were asked."""

    def __init__(self) -> None:
        self.web: dict[str, bytes] = {}
        self.wheel: dict[str, bytes] | None = None
        self.addresses: list[str] = []
        self.pip_calls: list[list[str]] = []

    def urlopen(self, address: str, timeout: float) -> io.BytesIO:
        assert timeout <= 10
        self.addresses.append(address)
        if address not in self.web:
            raise urllib.error.URLError("no route")
        return io.BytesIO(self.web[address])

    def pip(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.pip_calls.append(command)
        if self.wheel is None:
            return subprocess.CompletedProcess(command, 1, "", "noise\nERROR: No matching distribution\n")
        target = Path(command[command.index("--dest") + 1]) / "thing-1.0-py3-none-any.whl"
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in self.wheel.items():
                archive.writestr(name, content)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(urllib.request, "urlopen", made.urlopen)
    monkeypatch.setattr(subprocess, "run", made.pip)
    return made


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def test_local_folder_comes_first(store: Path, local: Path, world: World) -> None:
    fetch(store, local, lambda _: None)
    assert files_of(store) == CONTENTS
    assert (world.addresses, world.pip_calls) == ([], [])


def test_upstream_comes_next(store: Path, world: World) -> None:
    world.web = {f"https://example.invalid/commit/{name}": content for name, content in CONTENTS.items()}
    fetch(store, None, lambda _: None)
    assert files_of(store) == CONTENTS
    assert world.pip_calls == []


def test_wheel_comes_last_and_is_only_downloaded(store: Path, world: World) -> None:
    world.wheel = {f"thing/files/{name}": content for name, content in CONTENTS.items()}
    lines: list[str] = []
    fetch(store, None, lines.append)
    assert files_of(store) == CONTENTS
    # One attempt at an address that does not answer, and one line that says so.
    assert world.addresses == ["https://example.invalid/commit/a.bin"]
    assert [line.count("\n") for line in lines] == [0, 0]
    assert "no route" in lines[0]
    (command,) = world.pip_calls
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "thing==1.0"} <= set(command)


def test_repeating_asks_nobody(store: Path, local: Path, world: World) -> None:
    fetch(store, local, lambda _: None)
    before = {path: path.stat().st_mtime_ns for path in store.iterdir()}
    lines: list[str] = []
    fetch(store, None, lines.append)
    assert {path: path.stat().st_mtime_ns for path in store.iterdir()} == before
    assert (world.addresses, world.pip_calls) == ([], [])
    assert lines == ["thing 1: complete, 2 files verified"]


def test_altered_file_is_replaced_and_the_others_are_left_alone(
    store: Path, local: Path, world: World
) -> None:
    fetch(store, local, lambda _: None)
    (store / "b.bin").write_bytes(b"altered")
    (local / "a.bin").unlink()
    fetch(store, local, lambda _: None)
    assert files_of(store) == CONTENTS


@pytest.mark.parametrize(
    "wrong", [b"First file", b"first file and more", b""], ids=["same size", "longer", "empty"]
)
def test_file_with_another_hash_is_never_stored(store: Path, local: Path, world: World, wrong: bytes) -> None:
    (local / "a.bin").write_bytes(wrong)
    with pytest.raises(FetchError, match=r"a\.bin is another file"):
        fetch(store, local, lambda _: None)
    assert files_of(store) == {}


def test_source_with_a_wrong_file_is_passed_over(store: Path, local: Path, world: World) -> None:
    (local / "b.bin").write_bytes(b"wrong")
    world.web = {f"https://example.invalid/commit/{name}": content for name, content in CONTENTS.items()}
    fetch(store, local, lambda _: None)
    assert files_of(store) == CONTENTS


def test_without_any_source_the_error_says_why_for_each(store: Path, tmp_path: Path, world: World) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(store, tmp_path / "nowhere", lambda _: None)
    for reason in ("No such file", "no route", "No matching distribution"):
        assert reason in str(caught.value)
    assert files_of(store) == {}


def test_wheel_without_the_files_is_no_source(store: Path, world: World) -> None:
    world.wheel = {"thing/other.txt": b""}
    with pytest.raises(FetchError, match=r"thing/files/a\.bin"):
        fetch(store, None, lambda _: None)


def test_failed_write_leaves_nothing_behind(
    store: Path, local: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        fetch(store, local, lambda _: None)
    assert files_of(store) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"files": []},
        {"files": [{"name": "../a.bin", "sha256": "0" * 64, "size": 1}]},
        {"sources": [{"kind": "url", "base": "http://example.invalid/"}]},
        {"sources": [{"kind": "wheel", "requirement": "--index-url=x", "folder": "a/"}]},
        {"sources": [{"kind": "floppy"}]},
        {"surprise": 1},
    ],
)
def test_manifest_that_could_do_harm_is_refused(store: Path, change: dict[str, object]) -> None:
    write_manifest(store, **change)
    with pytest.raises(ManifestError):
        read_third_party(store)


def test_load_checks_every_file(store: Path, local: Path, world: World) -> None:
    with pytest.raises(ManifestError, match="missing"):
        load_third_party(store)
    fetch(store, local, lambda _: None)
    assert load_third_party(store).name == "thing"
    (store / "a.bin").write_bytes(b"First file")
    with pytest.raises(ManifestError, match="differs"):
        load_third_party(store)


@pytest.fixture
def run(store: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def command(*arguments: str) -> tuple[int, str, str]:
        status = main(["--root", str(store.parent.parent), *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


def test_command_fetches_from_the_folder_of_the_setting(
    run: Callable[..., tuple[int, str, str]], local: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRSR_WECHAT_SOURCE", str(local))
    assert "not usable" in run("list")[1]
    assert run("verify")[0] == 1
    assert run("fetch") == (0, "thing 1: 2 files from the local folder, verified\n", "")
    assert run("list")[1] == "thing/1: complete\n"
    assert run("verify") == (0, "thing/1: verified\n", "")


def test_command_that_finds_no_source_fails_with_one_line(
    run: Callable[..., tuple[int, str, str]], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QRSR_WECHAT_SOURCE", raising=False)
    status, _, errors = run("fetch")
    assert status == 1
    assert errors.startswith("error: thing 1: no source has the files")
    assert errors.count("\n") == 1


def test_committed_manifest_pins_the_official_files() -> None:
    manifest = read_third_party(Path(model_store.__file__).parent / "wechat_qr" / "1")
    assert {stored.name: (stored.size, stored.sha256[:8]) for stored in manifest.files} == {
        "detect.caffemodel": (965430, "cc49b8c9"),
        "detect.prototxt": (42656, "e8acfc39"),
        "sr.caffemodel": (23929, "e5d36889"),
        "sr.prototxt": (5984, "8ae41acb"),
    }
