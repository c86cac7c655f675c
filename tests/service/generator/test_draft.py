"""The generator's draft: which copy is taken for one, when it is used, and that nothing is lost by it."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.figures.machine import machine
from benchmark.serving.load import corpus
from model_store.manifest import ManifestError
from model_store.versions import version_folder
from service.generator import draft
from service.generator.draft import MOST_FLIPPED, compared, copy_of
from service.generator.engine import EngineOutput, OnnxEngine
from service.generator.store import build_engine
from service.server.app import create_app
from service.settings import Settings
from tests.builders.model import TINY, write_copy, write_tiny_model
from tests.builders.server import running

ROOT = Path(__file__).resolve().parents[3]
HARD = (ROOT / "docs" / "samples" / "label.png").read_bytes()


def engine_of(folder: Path) -> OnnxEngine:
    return OnnxEngine(folder, device="cpu", threads=1, tile=64)


def settings_of(store: Path, **changes: Any) -> Settings:
    return Settings(model_store=store, model=TINY, device="cpu", tile=64, **changes)


class Timed:
    """Takes as long as it is told, by a clock that is made up."""

    def __init__(self, seconds: float, logits: np.ndarray[Any, Any] | None, clock: list[float]) -> None:
        self.manifest: Any = None
        self.provider = "made up"
        self.draft = None
        self._seconds, self._logits, self._clock = seconds, logits, clock

    def run(self, lr: Any, *, logits: bool) -> EngineOutput:
        del logits
        self._clock[0] += self._seconds
        return EngineOutput(lr, self._logits)

    def healthy(self) -> bool:
        return True


def test_both_are_timed_and_sure_pixels_that_change_sides_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: now[0])
    theirs = np.array([[-5.0, -5.0, 0.5, 5.0]])
    ours = np.array([[5.0, -4.0, -0.5, 4.0]])
    share, flipped = compared(Timed(4.0, theirs, now), Timed(1.0, ours, now))
    # The third is not sure, and may change.
    assert (share, flipped) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("share", "flipped", "used"), [(0.5, 0.0, True), (0.7, 0.0, False), (0.5, 2 * MOST_FLIPPED, False)]
)
def test_auto_takes_what_is_faster_and_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, flipped: float, used: bool
) -> None:
    write_copy(write_tiny_model(tmp_path))
    monkeypatch.setattr(draft, "compared", lambda *_: (share, flipped))
    assert (build_engine(settings_of(tmp_path)).draft is not None) == used
    assert build_engine(settings_of(tmp_path, drafts="on")).draft is not None
    assert build_engine(settings_of(tmp_path, drafts="off")).draft is None


def test_a_copy_that_shows_something_else_is_not_used(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    write_copy(folder, inverted=True)
    assert compared(engine_of(folder), engine_of(folder / "draft"))[1] > 0.5
    assert build_engine(settings_of(tmp_path)).draft is None


def test_without_a_copy_there_is_no_draft(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    write_copy(write_tiny_model(tmp_path, version=2))
    assert copy_of(folder) is None
    assert build_engine(settings_of(tmp_path, drafts="on", model_version=1)).draft is None
    assert build_engine(settings_of(tmp_path, drafts="on")).draft is not None


def test_another_generators_copy_is_left_alone_and_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_copy(write_tiny_model(tmp_path), of="0" * 64)
    assert build_engine(settings_of(tmp_path, drafts="on")).draft is None
    assert "another generator" in caplog.text


def test_an_altered_copy_is_refused(tmp_path: Path) -> None:
    copy = write_copy(write_tiny_model(tmp_path))
    with (copy / "model.onnx").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(ManifestError, match="differs"):
        build_engine(settings_of(tmp_path))
    assert build_engine(settings_of(tmp_path, drafts="off")).draft is None


def test_the_released_copy_shows_what_its_generator_does() -> None:
    folder = version_folder(ROOT / "model_store", "qr_sr_x4", 0)
    copy = copy_of(folder)
    assert copy is not None
    flipped = compared(engine_of(folder), engine_of(copy))[1]
    # Without VNNI the sums overflow here and there; the service does not use it then.
    exact = "VNNI" in machine()["instructions"]
    assert flipped < (MOST_FLIPPED / 10 if exact else 10 * MOST_FLIPPED)


@pytest.mark.processes
def test_a_crop_is_read_from_the_draft_or_else_by_the_generator() -> None:
    (faint,) = corpus.uploads("faint", 1)
    tried: dict[tuple[str, str], list[str]] = {}
    for drafts in ("on", "off"):
        app = create_app(Settings(model_store=ROOT / "model_store", device="cpu", drafts=drafts))
        with running(app) as server, server.client() as client:
            assert client.get("/readyz").json()["draft"] == (drafts == "on")
            for name, upload in (("faint", faint.data), ("hard", HARD)):
                answer = client.post("/decode", files={"file": upload}).raise_for_status().json()
                tried[drafts, name] = [entry["attempt"] for entry in answer["attempts"]]
                assert answer["upscaled"] is True
                assert [symbol["attempt"] for symbol in answer["symbols"]] == [tried[drafts, name][-1]]
    assert tried["on", "faint"] == ["zxing", "draft", "draft-zxing"]
    assert tried["off", "faint"] == ["zxing", "upscale", "sr-zxing"]
    assert tried["off", "hard"] == ["zxing", "upscale", "sr-zxing", "soft"]
    assert tried["on", "hard"] == ["zxing", "draft", "draft-zxing", "upscale", "sr-zxing", "soft"]
