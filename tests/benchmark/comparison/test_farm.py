"""Workers: crashes are recorded against the arm at fault, and the number of processes changes nothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmark.comparison.arms import Arm, Item
from benchmark.comparison.farm import FarmError, run_all
from benchmark.comparison.readers import ReaderUnavailableError, wechat_files
from benchmark.comparison.results import Results, collect
from benchmark.comparison.upscalers import UpscalerSpec
from benchmark.comparison.workbench import Setup
from benchmark.paths import STORE
from benchmark.sets.sweep import sweep_items
from scoring.outcomes import BOTH, CRASH, MISREAD, NOTHING, READ, judge
from tests.benchmark.comparison.items import KILLER, Fragile, Mislabelled

pytestmark = pytest.mark.processes


WECHAT = STORE / "wechat_qr" / "1"
ZXING = Arm("lr", "none", "zxing")


@pytest.fixture(scope="module")
def setup() -> Setup:
    try:
        wechat_files(WECHAT)
    except ReaderUnavailableError as error:
        pytest.skip(str(error))
    return Setup(("wechat", "zxing"), (UpscalerSpec.kernel("bicubic"),), WECHAT)


def test_outcomes() -> None:
    assert judge([], (b"a",)) == NOTHING
    assert judge([b"a", b"a"], (b"a",)) == READ
    assert judge([b"b"], (b"a",)) == MISREAD
    assert judge([b"b", b"a"], (b"a",)) == BOTH
    assert judge([b"\x83A"], ("ア".encode(), "ア".encode("shift_jis"))) == READ


def test_a_crash_costs_only_the_arm_at_fault(setup: Setup) -> None:
    items: list[Item] = [Fragile(0, (ZXING,)), Fragile(1, (ZXING, KILLER)), Fragile(2, (ZXING,))]
    taken = run_all(items, setup, 1, "crash")
    assert [[shot.outcome for shot in one.shots] for one in taken] == [[READ], [READ, CRASH], [READ]]


def test_figures_do_not_depend_on_the_number_of_processes(setup: Setup) -> None:
    arms = (Arm("lr", "none", "wechat"), Arm("lr", "bicubic", "wechat"))
    items = sweep_items(("camera",), (1.0, 2.0), 3, 0, arms)
    outcomes = []
    for jobs in (1, 2):
        taken = run_all(items, setup, jobs, "jobs")
        outcomes.append([([shot.outcome for shot in one.shots], one.fingerprint) for one in taken])
    assert outcomes[0] == outcomes[1]
    assert {READ, NOTHING} <= {letter for letters, _ in outcomes[0] for letter in letters}


def test_misreads_are_counted_listed_and_kept(setup: Setup, tmp_path: Path) -> None:
    items: list[Item] = [Mislabelled((ZXING,))]
    results = collect("test", "none", 0, {}, items, run_all(items, setup, 1, "misread"), tmp_path, {})
    assert results.wrong(ZXING) == 1
    assert not results.read(ZXING).any()
    (misread,) = results.misreads
    assert misread.item == "mislabelled"
    assert misread.image is not None
    kept = cv2.imread(str(tmp_path / misread.image), cv2.IMREAD_GRAYSCALE)
    assert kept is not None
    assert np.array_equal(kept, items[0].draw()[0]["lr"])
    results.save(tmp_path / "test.json")
    assert Results.load(tmp_path / "test.json") == results


def test_without_wechat_nets_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(ReaderUnavailableError, match="nets"):
        wechat_files(tmp_path)
    with pytest.raises(FarmError):
        run_all([Fragile(0, (ZXING,))], Setup(("zxing",), (), tmp_path), 1, "nets")
