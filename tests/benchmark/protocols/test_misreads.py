"""The misread count: its trials show what they say, its pieces add up, and sharing work changes nothing."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmark.comparison.options import Options, newest_generator
from benchmark.comparison.readers import DECODE, SOFT, ReaderUnavailableError, wechat_files
from benchmark.comparison.upscalers import UpscalerSpec
from benchmark.comparison.workbench import Setup, Workbench
from benchmark.errors import BenchmarkError
from benchmark.paths import STORE
from benchmark.protocols.misreads import (
    DECODE_ARM,
    SOFT_ARM,
    Misreads,
    file_name,
    misreads_report,
    run_misreads,
    wrong,
)
from benchmark.sets.incomplete import draw_whole, overwritten
from benchmark.sets.misreads import SHARES, WITH_PAYLOAD, Trial, trials
from scoring.outcomes import MISREAD, NOTHING, READ
from service.decoding.soft.decode import decode_modules

WECHAT = STORE / "wechat_qr" / "1"


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    model = newest_generator()
    if model is None:
        pytest.skip("no released generator")
    try:
        wechat_files(WECHAT)
    except ReaderUnavailableError as error:
        pytest.skip(str(error))
    return Options(
        out=tmp_path_factory.mktemp("misreads"),
        command="python -m benchmark misreads",
        seed=3,
        jobs=1,
        readers=(SOFT, DECODE),
        upscalers=(UpscalerSpec.generator(model),),
        wechat=WECHAT,
        missing={},
    )


@pytest.mark.slow
def test_trials_of_every_kind_follow_from_their_number() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    found = Counter[str]()
    for trial in trials(range(60), 5, SOFT_ARM, DECODE_ARM, 4, ()):
        pictures, truth = trial.draw()
        again, _ = Trial(trial.number, 5, ()).draw()
        np.testing.assert_array_equal(pictures["lr"], again["lr"])
        assert pictures["lr"].dtype == np.uint8
        assert min(pictures["lr"].shape) >= 16
        assert len(truth) == (trial.kind in WITH_PAYLOAD)
        assert trial.arms == ((SOFT_ARM, DECODE_ARM) if trial.number % 4 == 0 else (SOFT_ARM,))
        found[trial.kind] += 1
    assert len(found) >= len(SHARES) - 3


def test_what_a_lost_symbol_shows_does_not_tell_its_payload() -> None:
    """All that is hidden erased and all else certain: nothing from a lost one, the payload or nothing else."""
    rng = np.random.default_rng(8)
    outcomes = Counter[tuple[bool, bool]]()
    for number in range(24):
        whole = draw_whole((1, 4), rng)
        n = len(whole.modules)
        hidden = np.zeros((n, n), dtype=bool)
        rows = int(rng.integers(n // 2, n)) if number % 2 else int(rng.integers(1, n // 6))
        hidden[n - rows :] = whole.blocks[n - rows :] >= 0
        llr = np.where(whole.modules, 9.0, -9.0) * ~hidden
        decoded = decode_modules(llr.astype(np.float32), whole.version)
        assert decoded is None or decoded.payload == whole.payload
        outcomes[whole.is_lost(hidden), decoded is not None] += 1
    assert outcomes[True, True] == 0
    assert min(outcomes[True, False], outcomes[False, True]) > 3


def test_writing_over_goes_beyond_the_limit_or_not() -> None:
    rng = np.random.default_rng(9)
    whole = draw_whole((2, 2), rng)
    changed: dict[bool, list[int]] = {False: [], True: []}
    for beyond, counts in changed.items():
        for _ in range(20):
            shown = overwritten(whole, beyond, rng)
            if shown is not None:
                counts.append(int(np.sum(shown != whole.modules)))
    assert np.median(changed[True]) > 2 * np.median(changed[False]) > 0


@pytest.mark.processes
def test_pieces_are_kept_and_not_done_again(options: Options) -> None:
    first = run_misreads(options, 3, 2, 60, None)
    assert first.tally(list(first.counts), SOFT_ARM).total() == 3
    assert first.tally(list(first.counts), DECODE_ARM).total() == 2
    assert wrong(first) == 0
    assert sum(first.code.values()) == 3
    again = run_misreads(options, 3, 2, 60, None)
    assert again == first == Misreads.load(options.out / file_name(options.seed))
    with pytest.raises(BenchmarkError, match="another run"):
        run_misreads(options, 3, 3, 60, None)


def test_runs_of_two_seeds_add_up(options: Options) -> None:
    environment = options.environment()
    one = Misreads("a", 0, 5, 0, environment, {"noise": {str(SOFT_ARM): {NOTHING: 3}}}, [], {"x": 3}, 1.0)
    counts = {"noise": {str(SOFT_ARM): {NOTHING: 2, MISREAD: 1}}, "text": {str(DECODE_ARM): {NOTHING: 4}}}
    mistake = {"number": 1, "kind": "noise", "arm": str(SOFT_ARM), "payloads": ["x"]}
    other = Misreads("b", 1, 5, 0, environment, counts, [mistake], {"x": 2, "y": 1}, 2.0)
    both = one.with_other(other)
    assert both.tally(["noise"], SOFT_ARM) == {NOTHING: 5, MISREAD: 1}
    assert both.tally(["text"], DECODE_ARM) == {NOTHING: 4}
    assert (both.command, both.code, both.wrong, both.seconds) == ("a\nb", {"x": 5, "y": 1}, [mistake], 3.0)
    assert one.counts == {"noise": {str(SOFT_ARM): {NOTHING: 3}}}
    with pytest.raises(ValueError, match="different seeds"):
        one.with_other(one)


@pytest.mark.slow
def test_sharing_work_changes_no_outcome(options: Options) -> None:
    items = [
        item for item in trials(range(200), 1, SOFT_ARM, DECODE_ARM, 1, ()) if item.kind in WITH_PAYLOAD
    ][:4]
    assert items
    outcomes = []
    for shares in (False, True):
        bench = Workbench(Setup(options.readers, options.upscalers, WECHAT, shares))
        outcomes.append([[shot.outcome for shot in bench.take(item).shots] for item in items])
    assert outcomes[0] == outcomes[1]
    assert {letter for shots in outcomes[0] for letter in shots} <= {READ, NOTHING}


def test_report_counts_what_must_not_be(options: Options) -> None:
    counts = {
        "noise": {str(SOFT_ARM): {NOTHING: 99, MISREAD: 1}, str(DECODE_ARM): {NOTHING: 20}},
        "near the wall": {str(SOFT_ARM): {READ: 7, NOTHING: 3}, str(DECODE_ARM): {READ: 2}},
    }
    mistake = {"number": 17, "kind": "noise", "arm": str(SOFT_ARM), "payloads": ["x"]}
    results = Misreads("c", 0, 5, 0, options.environment(), counts, [mistake], {"0": 110}, 1.0)
    assert wrong(results) == 1
    lines = misreads_report(results).splitlines()
    assert "| **all** | 110 | 7 | 1 | 0 | 22 | 2 | 0 | 0 |" in lines
    assert any(line.startswith("- trial 17 (noise)") for line in lines)
    assert not any("wrong payload of the soft reader" in line for line in lines)
    # 1 - 0.05 ** (1 / 22): the share that 22 trials without a failure leave possible at 95 %.
    assert any("of the cascade: at most 1.3e-01" in line for line in lines)
    assert json.dumps(results.counts)


def test_wrong_folder_of_photographs_is_an_error(options: Options, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="index"):
        run_misreads(options, 1, 2, 60, tmp_path)
