"""docs/performance.md: its figures are what the kept results say."""

import shutil
from pathlib import Path

import pytest

from benchmark.paths import ROOT
from benchmark.serving import document


@pytest.mark.slow
def test_the_committed_page_says_what_the_committed_results_say(tmp_path: Path) -> None:
    copy = tmp_path / "performance.md"
    shutil.copyfile(document.PAGE, copy)
    document.write(copy, tmp_path / "stages.png")
    assert copy.read_text() == (ROOT / "docs" / "performance.md").read_text()
    assert (tmp_path / "stages.png").stat().st_size > 1000
