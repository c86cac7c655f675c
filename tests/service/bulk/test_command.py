"""`python -m service read|upscale ... --out` as scripts use it: killed, gone on with, refused."""

import contextlib
import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from benchmark.paths import ROOT
from benchmark.scaling import crops
from benchmark.serving.images import encode, symbol
from service.cli.main import main
from service.pipeline.answers import DecodeAnswer
from service.pipeline.symbols import Symbol
from tests.builders.model import TINY, write_tiny_model

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    write_tiny_model(folder)
    return folder


@pytest.fixture(scope="module")
def environment(store: Path) -> dict[str, str]:
    return os.environ | {"QRSR_MODEL_STORE": str(store), "QRSR_MODEL": TINY, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str | None]]:
    """Where the commands run: `in` holds a hundred files, and what each of them shows."""
    folder = tmp_path_factory.mktemp("work")
    return folder, crops.write(folder / "in", 120, hard=0.0)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service", *arguments]


def run(folder: Path, environment: dict[str, str], *arguments: str, feed: str = "", **more: str) -> Any:
    return subprocess.run(
        command(*arguments), input=feed, text=True, capture_output=True, cwd=folder, env=environment | more,
        timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(folder: tuple[Path, dict[str, str | None]], environment: dict[str, str]) -> Any:
    """What a run that nobody interrupted said and did."""
    return run(folder[0], environment, "read", "in", "--out", "whole.parquet")


def test_rows_are_the_files_in_order_and_say_what_the_api_says(
    folder: tuple[Path, dict[str, str | None]], whole: Any
) -> None:
    where, shown = folder
    rows = pq.read_table(where / "whole.parquet").to_pylist()
    assert [row["file"] for row in rows] == sorted(f"in/{name}" for name in shown)
    codes = {".txt": "unsupported_image_format", ".png": "damaged_image"}
    for row in rows:
        payload = shown[row["file"].removeprefix("in/")]
        if payload is None:
            assert row["error"]["code"] == codes[Path(row["file"]).suffix]
            assert {row[name] for name in row.keys() - {"file", "error"}} == {None}
        else:
            assert row["error"] is None
            assert [found["text"] for found in row["symbols"]] == ([payload] if payload else [])
            # All of the API's fields are there, except for milliseconds.
            assert DecodeAnswer.model_fields.keys() - row.keys() == {"timings_ms"}
            assert all(Symbol.model_validate(found) for found in row["symbols"])
    failed = sum(payload is None for payload in shown.values())
    assert failed
    assert whole.returncode == 2
    assert whole.stdout == ""
    *errors, summary = whole.stderr.splitlines()
    assert len(errors) == failed
    assert summary.startswith(f"{where / 'whole.parquet'}: {len(shown)} files, ")
    assert not (where / "whole.parquet.parts").exists()


def test_killed_again_and_again_it_gives_the_same_bytes(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], whole: Any
) -> None:
    where, _ = folder
    arguments = command("read", "in", "--out", "killed.parquet", "--part", "8")
    parts = where / "killed.parquet.parts"
    for awaited in ("_inputs.jsonl", "part-00000000*", "part-00000003*", "part-00000008*"):
        with subprocess.Popen(arguments, cwd=where, env=environment, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not list(parts.glob(awaited)):
                time.sleep(0.002)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert not (where / "killed.parquet").exists()
    # What is there can be looked at while a run is under way.
    assert (
        pq.read_table(parts)["file"].to_pylist()[:8]
        == pq.read_table(where / "whole.parquet")["file"].to_pylist()[:8]
    )
    before = {path.name: path.stat().st_mtime_ns for path in parts.glob("part-*")}
    assert before
    # The part size is the first command's.
    done = run(where, environment, "read", "in", "--out", "killed.parquet", "--part", "5")
    assert done.returncode == whole.returncode
    assert (where / "killed.parquet").read_bytes() == (where / "whole.parquet").read_bytes()
    assert not parts.exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_end_it_says_how_to_go_on(
    folder: tuple[Path, dict[str, str | None]],
    environment: dict[str, str],
    number: signal.Signals,
    status: int,
) -> None:
    where, _ = folder
    arguments = command("read", "in", "--out", f"asked{status}.parquet", "--part", "1")
    parts = where / f"asked{status}.parquet.parts"
    # What runs behind a shell ignores SIGINT, and so would its children; a handler is not inherited.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        arguments, cwd=where, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        signal.signal(signal.SIGINT, before)
        while process.poll() is None and len(list(parts.glob("part-*"))) < 3:
            time.sleep(0.002)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert "the same command goes on" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert list(parts.glob("part-*"))
    assert not (where / f"asked{status}.parquet").exists()


def test_a_disk_that_is_full_stops_it_and_it_goes_on_where_there_is_room(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], whole: Any
) -> None:
    where, _ = folder
    arguments = ("read", "in", "--out", "full.parquet")
    # No file of this process may be longer than the list of inputs; to it that is a write that fails.
    script = f"ulimit -f 4; exec {sys.executable} -m service {' '.join(arguments)}"
    stopped = subprocess.run(
        ["bash", "-c", script],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert stopped.returncode == 4, stopped.stderr
    assert "File too large" in stopped.stderr
    assert stopped.stderr.endswith("stopped; the same command goes on\n")
    assert not (where / "full.parquet").exists()
    assert run(where, environment, *arguments).returncode == whole.returncode
    assert (where / "full.parquet").read_bytes() == (where / "whole.parquet").read_bytes()


def test_the_name_says_what_is_written(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], whole: Any
) -> None:
    where, shown = folder
    rows = pq.read_table(where / "whole.parquet").to_pylist()
    for name in ("named.jsonl", "named.csv"):
        done = run(where, environment, "read", "in", "--out", name)
        assert done.returncode == whole.returncode, done.stderr
        assert not (where / f"{name}.parts").exists()
    lines = (where / "named.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == rows
    with (where / "named.csv").open(encoding="utf-8", newline="") as stream:
        cells = list(csv.DictReader(stream))
    # One row for each symbol, or one for the file.
    assert [row["file"] for row in cells] == [row["file"] for row in rows for _ in row["symbols"] or [None]]
    told = {row["file"]: row["text"] or None for row in cells}
    assert told == {f"in/{name}": payload or None for name, payload in shown.items()}
    again = run(where, environment, "read", "in", "--out", "named.csv")
    assert again.returncode == 2
    assert "named.csv exists; remove it, or take another name" in again.stderr


def test_what_is_finished_is_told_again_and_another_run_is_refused(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], whole: Any
) -> None:
    where, _ = folder
    before = (where / "whole.parquet").stat()
    again = run(where, environment, "read", "in", "--out", "whole.parquet")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == whole.stderr.splitlines()[-1] + " (finished before)\n"
    other = run(where, environment, "read", "in", "--match", "*.jpg", "--out", "whole.parquet")
    assert other.returncode == 2
    assert "another run's (sources.match differ)" in other.stderr
    assert (where / "whole.parquet").stat() == before
    assert not (where / "whole.parquet.parts").exists()


def test_enlarged_images_lie_as_their_sources_do(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str]
) -> None:
    where, _ = folder
    for name, data in (
        ("a.png", encode(symbol("A"))),
        ("b/a.jpg", encode(symbol("B"), "JPEG")),
        ("c", b"no image"),
    ):
        (where / "large" / name).parent.mkdir(parents=True, exist_ok=True)
        (where / "large" / name).write_bytes(data)
    # What a killed run had not finished.
    (where / "out/.unfinished").mkdir(parents=True)
    (where / "out/.unfinished/x.partial").touch()
    done = run(where, environment, "upscale", "large", "--out", "out", "--format", "webp")
    assert done.returncode == 2, done.stderr
    first, second, third = pq.read_table(where / "out/results.parquet").to_pylist()
    assert (first["file"], first["output"]) == ("large/a.png", "large/a.png.x4.webp")
    assert (second["file"], second["output"]) == ("large/b/a.jpg", "large/b/a.jpg.x4.webp")
    assert (third["file"], third["error"]["code"]) == ("large/c", "unsupported_image_format")
    for row in (first, second):
        path = where / "out" / row["output"]
        with Image.open(path) as image:
            assert image.format == "WEBP"
            assert (
                image.size == tuple(row["size"].values()) == tuple(4 * side for side in row["image"].values())
            )
        assert row["bytes"] == path.stat().st_size
    files = sorted(
        str(path.relative_to(where / "out")) for path in (where / "out").rglob("*") if path.is_file()
    )
    assert files == ["large/a.png.x4.webp", "large/b/a.jpg.x4.webp", "results.parquet"]
    assert not (where / "out/.unfinished").exists()


def test_every_kind_of_name_in_a_list_has_its_row(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str]
) -> None:
    where, _ = folder
    (where / "odd").mkdir()
    (where / "odd/good.png").write_bytes(encode(symbol("GOOD")))
    (where / "odd/empty.png").touch()
    (where / "odd/huge.png").write_bytes(bytes(70_000))
    (where / "odd/tiny.png").write_bytes(encode(np.zeros((4, 4), np.uint8)))
    os.mkfifo(where / "odd/pipe")
    (where / "odd/link").symlink_to("good.png")
    (where / "odd/broken").symlink_to("nowhere")
    (where / "odd/loop").symlink_to("loop")
    names = [
        "good.png",
        "good.png",
        "link",
        "empty.png",
        "huge.png",
        "tiny.png",
        "pipe",
        "broken",
        "loop",
        ".",
        "a\0b",
    ]
    listing = "".join(json.dumps(name) + "\n" for name in names)
    (where / "names.jsonl").write_text(listing)
    arguments = ("read", "--list", "names.jsonl", "--root", "odd", "--out", "odd.parquet")
    done = run(where, environment, *arguments, QRSR_MAX_BODY_BYTES="65536")
    assert done.returncode == 2
    rows = pq.read_table(where / "odd.parquet").to_pylist()
    assert [row["file"] for row in rows] == names
    assert [row["error"] and row["error"]["code"] for row in rows] == [
        *(None, None, None),
        *("file_empty", "file_too_large", "image_too_small", "file_unreadable"),
        *("file_not_found", "file_unreadable", "file_unreadable", "file_unreadable"),
    ]
    assert all(row["symbols"][0]["text"] == "GOOD" for row in rows[:3])


def test_a_newer_model_does_not_finish_what_another_began(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], store: Path, tmp_path: Path
) -> None:
    where, _ = folder
    shutil.copytree(store, tmp_path / "store")
    own = environment | {"QRSR_MODEL_STORE": str(tmp_path / "store")}
    arguments = ("read", "in", "--out", "model.parquet", "--part", "1")
    with subprocess.Popen(command(*arguments), cwd=where, env=own, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list((where / "model.parquet.parts").glob("part-*")):
            time.sleep(0.002)
        process.kill()
    write_tiny_model(tmp_path / "store", version=2)
    asked_for = run(where, own, *arguments, QRSR_MODEL_VERSION="2")
    assert asked_for.returncode == 2
    assert "made.version differ" in asked_for.stderr
    assert run(where, own, *arguments).returncode == 2
    versions = {row["version"] for row in pq.read_table(where / "model.parquet")["model"].to_pylist() if row}
    assert versions == {1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("read", "--out", "x.parquet"), "no FILE and no --list"),
        (("read", "-", "--out", "x.parquet"), "- is no image here"),
        (("read", "in", "--json", "--out", "x.parquet"), "--out writes what its name ends with"),
        (("read", "in/x.png", "--ray", "auto"), "--ray needs --out"),
        (("read", "in", "--part", "0", "--out", "x.parquet"), "not between 1 and"),
        (("read", "in", "--worker-gpus", "1.5", "--out", "x.parquet"), "neither a share"),
        (("upscale", "in"), "one IN and one OUT, or --out"),
        (("read", "in", "--out", "."), "--out . is a folder; name a file in it, such as results.parquet"),
        (("read", "in", "--out", "x.xlsx"), "ends with .parquet, .jsonl, .csv"),
        (("read", "in", "--json", "--out", "x.csv"), "--json is for standard output"),
        (
            ("read", "--url", "https://example.org/a.png", "--out", "x.csv"),
            "--url and --watch are for standard output",
        ),
        (("read", "https://example.org/a.png"), "--url https://example.org/a.png fetches it"),
        (("read", "--url", "file:///etc/passwd"), "begins with http:// or https://"),
        (("read", "--watch", "no-such-folder"), "there is no such folder"),
    ],
)
def test_what_makes_no_sense_is_said_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("read", "--list", "missing.csv", "--out", "x.parquet"), "missing.csv: No such file"),
        (("read", "in", "--out", "in/0000/000000.jpg/x.parquet"), "Not a directory"),
    ],
)
def test_what_cannot_begin_is_said_in_a_line(
    folder: tuple[Path, dict[str, str | None]],
    environment: dict[str, str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    done = run(folder[0], environment, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder[0] / "x.parquet").exists()


def test_a_terminal_gets_a_bar(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], whole: Any
) -> None:
    where, shown = folder
    near, far = pty.openpty()
    termios.tcsetwinsize(far, (24, 80))
    with subprocess.Popen(
        command("read", "in", "--out", "bar.parquet"), cwd=where, env=environment, stderr=far
    ) as process:
        os.close(far)
        said = b""
        with contextlib.suppress(OSError):  # how a terminal ends
            while more := os.read(near, 4096):
                said += more
    os.close(near)
    assert process.returncode == whole.returncode
    assert f"{len(shown)}/{len(shown)} [".encode() in said
    assert b"100%" in said
    assert said.rstrip().endswith(whole.stderr.splitlines()[-1].rpartition("whole.parquet")[2].encode())


def test_without_a_model_nothing_is_begun(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(folder[0], environment, "read", "in", "--out", "none.parquet", QRSR_MODEL_STORE=str(tmp_path))
    assert done.returncode == 3
    assert "no released version" in done.stderr
    assert not list(folder[0].glob("none.parquet*"))


def test_names_come_from_standard_input_too(
    folder: tuple[Path, dict[str, str | None]], environment: dict[str, str]
) -> None:
    where, shown = folder
    name, payload = next((name, payload) for name, payload in shown.items() if payload)
    done = run(where, environment, "read", "--list", "-", "--out", "stdin.parquet", feed=f"in/{name}\n")
    assert (done.returncode, done.stderr) == (0, f"{where / 'stdin.parquet'}: 1 files\n")
    (row,) = pq.read_table(where / "stdin.parquet").to_pylist()
    assert row["symbols"][0]["text"] == payload
