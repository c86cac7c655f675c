"""Tables and the document, from results whose figures are known."""

import shutil
from pathlib import Path

import pytest

from benchmark.__main__ import main
from benchmark.comparison.arms import Arm
from benchmark.comparison.results import Misread, Results
from benchmark.comparison.tables import misread_table, paired_table
from benchmark.paths import RESULTS, ROOT
from benchmark.protocols.document import write_report
from benchmark.protocols.sweep import critical, sweep_report

WECHAT, OURS = Arm("lr", "none", "wechat"), Arm("lr", "ours", "wechat")
ENVIRONMENT = {
    "processor": "a processor",
    "system": "a system",
    "python": "3",
    "versions": {"opencv": "4"},
    "wechat_nets": "loaded",
    "missing": {},
    "upscalers": {},
}


def _results(protocol: str, details: dict[str, object]) -> Results:
    timing = {"median": 1.0, "mean": 1.0, "p95": 2.0}
    return Results(
        protocol,
        f"python -m benchmark {protocol}",
        0,
        ENVIRONMENT,
        [str(i) for i in range(6)],
        # Three points of the axis, two symbols each.
        {str(WECHAT): "....rr", str(OURS): "..rrr."},
        {str(WECHAT): timing, str(OURS): timing},
        [Misread("3", str(WECHAT), "x", ["a|b\n"], "misreads/3.png")],
        details,
    )


def test_pairs_are_counted_symbol_by_symbol() -> None:
    text = paired_table(_results("paper", {}), WECHAT, [OURS])
    row = text.splitlines()[2].split("|")
    assert [cell.strip() for cell in row[1:5]] == ["ours → wechat", "6", "2", "1"]
    # Exact test of 2 against 1: 2 * (1 + 3) / 8, at most 1.
    assert row[6].strip() == "1"


def test_payloads_cannot_break_a_table() -> None:
    lines = misread_table(_results("paper", {})).splitlines()
    assert len(lines) == 3
    assert "`a.b.`" in lines[2]


def test_critical_points_of_a_sweep() -> None:
    details = {"families": ["clean"], "px_per_module": [1.0, 2.0, 3.0], "symbols": 2, "versions": [2, 10]}
    results = _results("sweep", details)
    # Rates 0, 0, 1 and 0, 1, .5; the monotone fit of the latter is 0, .75, .75.
    assert critical(results, WECHAT)[0].value == pytest.approx(2.5)
    assert critical(results, OURS)[0].value == pytest.approx(1 + 0.5 / 0.75)
    assert "| clean | 2.50 [" in sweep_report(results)


def test_the_document_is_written_from_results_alone(tmp_path: Path) -> None:
    details: dict[str, object] = {"set": "the frozen set", "recipe": {}, "crc32": []}
    _results("paper", details).save(tmp_path / "run" / "paper.json")
    document = tmp_path / "docs" / "benchmark.md"
    document.parent.mkdir()
    document.write_text("Prose.\n\n<!-- paper:begin -->\nold\n<!-- paper:end -->\n\nMore prose.\n")
    kept = tmp_path / "results"
    command = ["report", "--out", str(tmp_path / "run"), "--document", str(document), "--results", str(kept)]
    assert main(command) == 0
    text = document.read_text()
    assert text.startswith("Prose.\n")
    assert text.endswith("More prose.\n")
    assert "\nold\n" not in text
    assert "python -m benchmark paper" in text
    assert "| wechat | 6 | .333 [" in text
    assert (kept / "paper.json").is_file()
    assert 0 < (document.parent / "benchmark" / "paper.png").stat().st_size < 150_000


def test_a_document_of_nothing_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "benchmark.md"
    document.write_text("Prose.\n")
    command = ["report", "--out", str(tmp_path), "--document", str(document), "--results", str(tmp_path)]
    assert main(command) == 2
    assert document.read_text() == "Prose.\n"


@pytest.mark.slow
def test_the_committed_document_says_what_the_committed_results_say(tmp_path: Path) -> None:
    kept = tmp_path / "results"
    shutil.copytree(RESULTS / "protocols", kept)
    copy = tmp_path / "benchmark.md"
    shutil.copyfile(ROOT / "docs" / "benchmark.md", copy)
    write_report(tmp_path / "nothing new", copy, kept)
    assert copy.read_text() == (ROOT / "docs" / "benchmark.md").read_text()
