"""`python -m service read` and `upscale` as scripts use them: output, errors, exit status."""

import base64
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import segno
from PIL import Image

from service import VERSION
from service.cli.main import main
from service.cli.read import payload
from service.pipeline.symbols import Symbol
from tests.builders.model import TINY, write_tiny_model
from tests.builders.process import ROOT

pytestmark = pytest.mark.processes


SAMPLES = ROOT / "docs" / "samples"
TEXTS = {
    "chat": "https://example.org/forwarded?by=a+messenger&twice=yes",
    "label": "https://example.org/qr-super-resolution",
    "screen": "tel:+15550100",
}


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of a generator that is loaded at once, where what it makes does not matter."""
    store = tmp_path_factory.mktemp("store")
    write_tiny_model(store)
    return {"QRSR_MODEL_STORE": str(store), "QRSR_MODEL": TINY}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Iterator[Run]:
    """Runs a command in this process, with one process to decode."""
    level = logging.getLogger("service").level
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("QRSR_DECODERS", "1")
    # On a busy machine one process may take longer for all files of a command than a request may take.
    monkeypatch.setenv("QRSR_DEADLINE_S", "100")

    def run(*arguments: str, feed: bytes = b"", **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(feed)))
        capsysbinary.readouterr()
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        said = capsysbinary.readouterr()
        return Done(status, said.out, said.err)

    yield run
    logging.getLogger("service").setLevel(level)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "blank.png"
    Image.new("L", (40, 40), 255).save(path)
    return path


def test_hard_crops_are_read_in_the_order_of_the_files(run: Run) -> None:
    names = list(TEXTS) * 2
    done = run("read", *(str(SAMPLES / f"{name}.png") for name in names))
    assert done.stdout.decode().splitlines() == [f"{SAMPLES / name}.png: {TEXTS[name]}" for name in names]
    assert (done.returncode, done.stderr) == (0, b"")


def test_one_file_gives_its_payload_alone_from_standard_input_too(run: Run) -> None:
    done = run("read", "-", feed=(SAMPLES / "label.png").read_bytes())
    assert (done.stdout.decode(), done.returncode) == (TEXTS["label"] + "\n", 0)


@pytest.mark.parametrize("answer", ["matched", "not matched"])
def test_what_is_expected_is_told_and_forces_nothing(
    run: Run, tiny: dict[str, str], tmp_path: Path, answer: str
) -> None:
    segno.make("HELLO", micro=False).save(str(tmp_path / "clear.png"), scale=4)
    (tmp_path / "candidates.txt").write_text("other\nHELLO\n")
    expect = f"list:@{tmp_path / 'candidates.txt'}" if answer == "matched" else "prefix:tel:"
    done = run("read", "--json", "--expect", expect, str(tmp_path / "clear.png"), **tiny)
    (symbol,) = json.loads(done.stdout)["symbols"]
    assert (symbol["text"], symbol["hint"], done.returncode) == ("HELLO", answer, 0)


@pytest.mark.parametrize("expect", ["label", "regex:(", "list:@there-is-no-such-file"])
def test_what_is_no_hint_is_refused(run: Run, expect: str) -> None:
    done = run("read", "--expect", expect, str(SAMPLES / "label.png"))
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"--expect" in done.stderr


def test_files_that_cannot_be_used_are_named_and_stop_nothing(run: Run, blank: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no image")
    done = run("read", "missing.png", str(tmp_path), str(text), str(blank), str(SAMPLES / "chat.png"))
    assert done.stdout.decode() == f"{SAMPLES / 'chat.png'}: {TEXTS['chat']}\n"
    assert done.stderr.decode().splitlines() == [
        "missing.png: there is no such file",
        f"{tmp_path}: not a regular file",
        f"{text}: not a PNG, JPEG, WebP, BMP, GIF, TIFF, HEIC or AVIF image",
    ]
    assert done.returncode == 2


def test_json_is_the_answer_of_decode_or_the_error(run: Run, blank: Path) -> None:
    done = run("read", "--json", str(blank), "missing.png", str(SAMPLES / "screen.png"))
    nothing, missing, screen = (json.loads(line) for line in done.stdout.decode().splitlines())
    assert (nothing["file"], nothing["symbols"], nothing["complete"]) == (str(blank), [], True)
    assert missing == {
        "file": "missing.png",
        "error": {"code": "file_not_found", "detail": "there is no such file"},
    }
    assert [symbol["text"] for symbol in screen["symbols"]] == [TEXTS["screen"]]
    assert {"attempts", "timings_ms", "model", "upscaled"} <= screen.keys()
    assert done.returncode == 2


def test_nothing_to_read_has_a_status_of_its_own(run: Run, tiny: dict[str, str], blank: Path) -> None:
    done = run("read", str(blank), **tiny)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 1)


def test_what_a_terminal_would_obey_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "symbol.png"
    segno.make("a\\b\nü", micro=False).save(str(path), scale=4, border=4)
    # A process of its own, whose encoding of standard output is chosen at its start.
    done = subprocess.run(
        [sys.executable, "-m", "service", "read", str(path)],
        capture_output=True, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "ascii"}, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.decode() == "a\\\\b\\nü\n"
    assert shown("\x1b[2J", b"\x1b[2J") == "\\x1b[2J"
    assert shown(None, b"\x8f:\xff") == "hex:8f3aff"


def shown(text: str | None, data: bytes) -> str:
    encoded = base64.b64encode(data).decode()
    return payload(Symbol.model_construct(text=text, payload_base64=encoded))


@pytest.mark.parametrize(("name", "form"), [("x.png", "PNG"), ("x.JPG", "JPEG"), ("deep/x.webp", "WEBP")])
def test_enlarged_files_are_of_the_form_their_name_says(
    run: Run, tiny: dict[str, str], tmp_path: Path, name: str, form: str
) -> None:
    done = run("upscale", str(SAMPLES / "label.png"), str(tmp_path / name), **tiny)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with Image.open(SAMPLES / "label.png") as small, Image.open(tmp_path / name) as large:
        assert large.format == form
        assert large.size == (4 * small.width, 4 * small.height)
    assert len(list((tmp_path / name).parent.iterdir())) == 1


def test_enlarging_in_a_pipe(run: Run, tiny: dict[str, str], tmp_path: Path) -> None:
    done = run("upscale", "-", "-", "--format", "webp", feed=(SAMPLES / "chat.png").read_bytes(), **tiny)
    assert done.returncode == 0
    assert done.stdout[8:12] == b"WEBP"


def test_what_cannot_be_enlarged_or_written_is_said_in_a_line(
    run: Run, tiny: dict[str, str], tmp_path: Path
) -> None:
    sample = str(SAMPLES / "label.png")
    for arguments, message in (
        ((sample, str(tmp_path / "x.tiff")), "name it .png, .jpg or .webp"),
        (("missing.png", str(tmp_path / "x.png")), "missing.png: there is no such file"),
        ((sample, "/proc/x.png"), "/proc/x.png: "),
    ):
        done = run("upscale", *arguments, **tiny)
        assert done.returncode == 2
        assert len(done.stderr.decode().splitlines()) == 1
        assert message in done.stderr.decode()
    assert not list(tmp_path.iterdir())


def test_no_model_and_no_sense_have_statuses_of_their_own(run: Run, tmp_path: Path) -> None:
    missing = run("read", str(SAMPLES / "label.png"), QRSR_MODEL_STORE=str(tmp_path))
    assert missing.returncode == 3
    assert b"no released version" in missing.stderr
    assert run("read", str(SAMPLES / "label.png"), QRSR_TILE="much").returncode == 2
    assert run("read").returncode == 2
    assert run("reed", "x").returncode == 2


def test_a_reader_of_the_output_may_leave() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "service", "read", *[str(SAMPLES / "chat.png")] * 40],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=60) in (0, 141)
    assert errors == b""


def test_the_contract_is_printed_as_it_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")


def test_the_table_of_settings_is_printed_as_its_page_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    assert capsys.readouterr().out.strip() in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["qrsr", "__main__.py"])
def test_the_version_is_told_under_either_name(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"/somewhere/{name}"])
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"qr-super-resolution {VERSION}\n"


def test_the_console_command_by_itself_prints_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/qrsr"])
    assert main([]) == 0
    told = capsys.readouterr().out
    assert told.startswith("usage: qrsr ")
    assert all(command in told for command in ("serve", "read", "upscale", "fetch-models"))


def test_without_the_extras_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> int:
        raise ModuleNotFoundError("No module named 'cv2'", name="cv2")

    monkeypatch.setattr("service.cli.main._fetch_models", lambda _: missing())
    with pytest.raises(SystemExit) as ended:
        main(["fetch-models"])
    assert ended.value.code == 3
    assert "this needs cv2: pip install 'qr-super-resolution[cpu]'" in capsys.readouterr().err


def test_outside_the_repository_the_packages_own_generator_is_used(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service", "read", str(SAMPLES / "screen.png")],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout == TEXTS["screen"] + "\n"
    assert done.returncode == 0
