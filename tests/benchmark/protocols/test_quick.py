"""The regression floor fails for a broken generator, and only for one."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from benchmark.__main__ import main
from benchmark.comparison.arms import Arm
from benchmark.comparison.options import newest_generator
from benchmark.comparison.results import Results
from benchmark.comparison.upscalers import generator_file
from benchmark.errors import BenchmarkError
from benchmark.protocols import quick

ENLARGED, ALONE = Arm("lr", "ours", "wechat"), Arm("lr", "none", "wechat")


def _results(read: int, alone: int = 30) -> Results:
    timing = {"median": 1.0, "mean": 1.0, "p95": 1.0}
    outcomes = {str(ENLARGED): "r" * read + "." * (96 - read), str(ALONE): "r" * alone + "." * (96 - alone)}
    return Results(
        "quick",
        "",
        0,
        {"upscalers": {}},
        [str(i) for i in range(96)],
        outcomes,
        dict.fromkeys(outcomes, timing),
    )


@pytest.fixture(scope="module")
def released() -> Path:
    folder = newest_generator()
    if folder is None:
        pytest.skip("no generator has been released")
    return generator_file(folder).path


def _randomised(path: Path, target: Path) -> Path:
    """The same graph with weights drawn anew, each tensor with its own spread."""
    model, rng = onnx.load(path), np.random.default_rng(0)
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype == np.float32 and weights.size > 1:
            drawn = rng.normal(0, weights.std() + 1e-3, weights.shape).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(drawn, tensor.name))
    onnx.save(model, target)
    return target


@pytest.mark.processes
def test_the_released_generator_passes(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quick", "--readers", "wechat", "--model", str(released), "--out", str(tmp_path)]) == 0
    assert "FAILED" not in capsys.readouterr().out


@pytest.mark.processes
def test_random_weights_fail(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # WeChat takes its time over noise, and a quarter of the set is more than enough to tell.
    monkeypatch.setattr(quick, "COUNT", 2)
    broken = _randomised(released, tmp_path / "broken.onnx")
    assert main(["quick", "--readers", "wechat", "--model", str(broken), "--out", str(tmp_path)]) == 1
    assert "regression: lr|ours|wechat" in capsys.readouterr().err


def test_floors_in_force_are_above_what_wechat_reads_alone() -> None:
    floors = quick.floors()
    alone = floors.pop(str(ALONE)) + quick.MARGIN
    assert {str(arm) for arm in quick.FLOORED} - {str(ALONE)} == set(floors)
    assert all(floor > alone for floor in floors.values())


def test_a_floor_that_could_not_fail_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "FLOORS", tmp_path / "floors.json")
    with pytest.raises(BenchmarkError):
        quick.set_floors(_results(33))
    quick.set_floors(_results(60))
    assert quick.floors()[str(ENLARGED)] == pytest.approx(60 / 96 - quick.MARGIN, abs=1e-3)


def test_a_quick_run_of_any_protocol_tells_a_broken_generator() -> None:
    assert quick.broken(_results(29)) is None
    assert "0.104" in (quick.broken(_results(10)) or "")
    # Where nobody reads anything, a generator has not been shown to work.
    assert quick.broken(_results(0, alone=0)) is not None


def test_a_misread_of_a_trusted_reader_fails_whatever_the_rate() -> None:
    soft = Arm("lr", "ours", "soft")
    results = Results("quick", "", 0, {}, ["0", "1"], {str(soft): "rx"}, {})
    (verdict,) = quick.verdicts(results, {str(soft): 0.1})
    assert not verdict.passed
    (verdict,) = quick.verdicts(
        Results("quick", "", 0, {}, ["0", "1"], {str(soft): "r."}, {}), {str(soft): 0.1}
    )
    assert verdict.passed


def test_without_a_generator_there_is_nothing_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quick", "--no-model", "--out", str(tmp_path)]) == 2
    assert "nothing to judge" in capsys.readouterr().err
