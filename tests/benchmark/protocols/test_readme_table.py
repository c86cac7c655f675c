"""The README's table is what the committed results say."""

import shutil
from pathlib import Path

import pytest

from benchmark.comparison.arms import Arm
from benchmark.comparison.results import Results
from benchmark.errors import BenchmarkError
from benchmark.paths import RESULTS, ROOT
from benchmark.protocols.readme_table import write_rates

MEASURED = RESULTS / "protocols"


def test_the_readme_says_what_the_results_say(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    shutil.copyfile(ROOT / "README.md", copy)
    write_rates(MEASURED, copy)
    assert copy.read_text() == (ROOT / "README.md").read_text()


def test_a_rate_is_what_was_read_of_what_was_tried(tmp_path: Path) -> None:
    outcomes = Results.load(MEASURED / "paper.json").outcomes[str(Arm("lr", "none", "wechat"))]
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- rates:begin -->\nold\n<!-- rates:end -->\nafter\n")
    write_rates(MEASURED, readme)
    text = readme.read_text()
    share = outcomes.count("r") / (len(outcomes) - outcomes.count(" "))
    assert f"protocol) | .623 | {share:.3f} |".replace(" 0.", " .") in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text


def test_a_readme_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing here")
    with pytest.raises(BenchmarkError, match="rates:begin"):
        write_rates(MEASURED, readme)
