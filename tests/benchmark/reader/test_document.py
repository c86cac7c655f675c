"""docs/reader.md: its measured parts are what the kept results say, and nothing else."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmark.paths import RESULTS, ROOT
from benchmark.reader.decoding_tables import bound_part, channel_part
from benchmark.reader.document import DOCUMENT, FILES, write_reader_report


@pytest.mark.slow
def test_document_says_what_was_measured(tmp_path: Path) -> None:
    document = tmp_path / DOCUMENT
    document.parent.mkdir()
    shutil.copyfile(ROOT / DOCUMENT, document)
    shutil.copytree(RESULTS / "reader", tmp_path / "results")
    write_reader_report(tmp_path / "nothing new", document, tmp_path / "results")
    assert document.read_text() == (ROOT / DOCUMENT).read_text()
    for name in FILES:
        if (RESULTS / "reader" / f"{name}.json").is_file():
            part = document.read_text().split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0]
            assert "python -m benchmark" in part


def test_channel_part_counts_by_line() -> None:
    def point(rate: float, read: int, wrong: int) -> dict[str, object]:
        one = {"trials": 10, "read": read, "wrong": wrong, "milliseconds": 4.2}
        return {
            "channel": "fading",
            "version": 2,
            "level": "L",
            "error_rate": rate,
            "decoders": {"soft": one},
        }

    data: dict[str, Any] = {"command": "c", "rows": [point(0.01, 10, 0), point(0.02, 7, 2)]}
    data["no symbol"] = {"soft": {"trials": 500, "read": 0, "wrong": 3, "milliseconds": 1.0}}
    part = channel_part(data)
    assert "| fading, 2-L | 0.01 / 0.02 | 1 / 0.7 (2 wrong) | 4 / 4 |" in part
    assert "were read: soft 3 of 500. Symbols read wrongly: soft 2, of 20 each." in part


def test_bound_part_sets_both_limits_side_by_side() -> None:
    def row(limit: float, rights: list[int], wrongs: list[int]) -> dict[str, object]:
        tops = (-12, -8, 0)
        by_bound = [
            {"up_to": top, "right": right, "wrong": wrong}
            for top, right, wrong in zip(tops, rights, wrongs, strict=True)
        ]
        counts = {"without a symbol": 50, "read without a symbol": 0, "near the wall": 50}
        return {
            "limit": limit,
            **counts,
            "read": sum(rights),
            "wrong": sum(wrongs),
            "expected_wrong": 0.25,
            "by_bound": by_bound,
        }

    part = bound_part(
        {"command": "c", "rows": [row(1e-8, [6, 2, 0], [0, 0, 0]), row(0.3, [6, 2, 2], [0, 0, 1])]}
    )
    assert "| to 1e0 | 0 | 0 | 2 | 1 |" in part
    assert "| all | 8 | 0 | 10 | 1 |" in part
    assert "| without a symbol | - | 0 | - | 0 |" in part
    assert "refuses 0.20 of the right readings" in part
