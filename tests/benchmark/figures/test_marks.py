"""Figures go between their marks, and nowhere else."""

from pathlib import Path

import pytest

from benchmark.errors import BenchmarkError
from benchmark.figures.marks import fill, filled

DOCUMENT = "a\n<!-- one:begin -->\nold\n<!-- one:end -->\nb\n<!-- two:begin -->\n<!-- two:end -->\n"


def test_a_part_replaces_what_stands_between_its_marks() -> None:
    changed = DOCUMENT.replace("old", "new \\1")
    assert filled(DOCUMENT, "one", "\nnew \\1\n") == changed
    assert filled(changed, "one", "old") == DOCUMENT


@pytest.mark.parametrize("text", [DOCUMENT, DOCUMENT.replace("two", "one")], ids=["no place", "two places"])
def test_a_part_without_exactly_one_place_is_refused(text: str) -> None:
    name = "three" if text == DOCUMENT else "one"
    with pytest.raises(BenchmarkError, match=f"places for {name}"):
        filled(text, name, "new")


def test_a_document_is_changed_by_all_parts_or_by_none(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(DOCUMENT)
    with pytest.raises(BenchmarkError):
        fill(path, {"one": "new", "three": "new"})
    assert path.read_text() == DOCUMENT
    fill(path, {"one": "1", "two": "2"})
    assert (
        path.read_text()
        == "a\n<!-- one:begin -->\n1\n<!-- one:end -->\nb\n<!-- two:begin -->\n2\n<!-- two:end -->\n"
    )
