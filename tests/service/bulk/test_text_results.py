"""Results as CSV and JSON Lines: one row a symbol or a file, every value in a column of its own."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from service.bulk.job import Work
from service.bulk.tables import error_row, table
from service.bulk.text_results import text_format, write_csv, write_json_lines


def symbol(text: str | None, x: float) -> dict[str, Any]:
    return {
        "text": text,
        "payload_base64": "aA==",
        "encoding": "utf-8",
        "points": [[x, 1.0]],
        "reader": "zxing",
    }


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    size = {"width": 30, "height": 20}
    rows: list[dict[str, Any]] = [
        {"file": "two.png", "symbols": [symbol('say "a,b"\n=1+1', 1.0), symbol("ü", 2.0)], "image": size},
        {"file": "none.png", "symbols": [], "image": size},
        error_row("bad.png", "damaged_image", "it ends too early"),
    ]
    path = tmp_path / "result.parquet"
    pq.write_table(table(rows, Work(command="read")), path)
    return path


def test_csv_has_a_row_for_each_symbol_and_for_each_file_without(parquet: Path) -> None:
    stream = io.BytesIO()
    write_csv(parquet, stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))
    assert [(row["file"], row["text"]) for row in rows] == [
        ("two.png", 'say "a,b"\n=1+1'),
        ("two.png", "ü"),
        ("none.png", ""),
        ("bad.png", ""),
    ]
    assert (rows[0]["image_width"], rows[0]["image_height"]) == ("30", "20")
    assert json.loads(rows[1]["points"]) == [[2.0, 1.0]]
    assert (rows[3]["error_code"], rows[3]["error_detail"]) == ("damaged_image", "it ends too early")


def test_no_two_columns_have_one_name(parquet: Path) -> None:
    stream = io.BytesIO()
    write_csv(parquet, stream)
    header = stream.getvalue().decode().splitlines()[0].split(",")
    assert len(set(header)) == len(header)
    assert {"file", "text", "payload_base64", "model_version", "error_code"} <= set(header)


def test_json_lines_are_the_rows_of_parquet(parquet: Path) -> None:
    stream = io.BytesIO()
    write_json_lines(parquet, stream)
    lines = stream.getvalue().decode().splitlines()
    assert [json.loads(line) for line in lines] == pq.read_table(parquet).to_pylist()


@pytest.mark.parametrize(("name", "kept"), [("a.parquet", True), ("a.CSV", False), ("a.jsonl", False)])
def test_the_end_of_the_name_decides(name: str, kept: bool) -> None:
    assert (text_format(Path(name)) is None) is kept
