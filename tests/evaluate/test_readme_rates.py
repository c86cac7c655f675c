"""The README's table is what the committed results say."""

import shutil
from pathlib import Path

import pytest

from training.evaluate.arms import Arm
from training.evaluate.options import BenchmarkError
from training.evaluate.readme_rates import write_rates
from training.evaluate.results import Results

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "benchmark"


def test_the_readme_says_what_the_results_say(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    shutil.copyfile(ROOT / "README.md", copy)
    write_rates(RESULTS, copy)
    assert copy.read_text() == (ROOT / "README.md").read_text()


def test_a_rate_is_what_was_read_of_what_was_tried(tmp_path: Path) -> None:
    outcomes = Results.load(RESULTS / "paper.json").outcomes[str(Arm("lr", "none", "wechat"))]
    readme = tmp_path / "README.md"
    readme.write_text("before <!-- rates:begin -->old<!-- rates:end --> after")
    write_rates(RESULTS, readme)
    text = readme.read_text()
    share = outcomes.count("r") / (len(outcomes) - outcomes.count(" "))
    assert f"protocol) | {share:.3f} |".replace(" 0.", " .") in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert "old" not in text


def test_a_readme_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing here")
    with pytest.raises(BenchmarkError, match="rates:begin"):
        write_rates(RESULTS, readme)
