"""A result as text: JSON Lines with a row for each file, or CSV with a row for each symbol."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq

Writer = Callable[[Path, IO[bytes]], None]
"""Writes the rows of a Parquet result to a stream."""

_ROWS = 1024
_SYMBOL = "symbols"


def text_format(result: Path) -> Writer | None:
    """What writes a result of that name; None where it stays Parquet."""
    return {".jsonl": write_json_lines, ".csv": write_csv}.get(result.suffix.lower())


def write_json_lines(parquet: Path, stream: IO[bytes]) -> None:
    """One JSON object a line, the rows as Parquet has them."""
    for row in _rows(parquet):
        stream.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")


def write_csv(parquet: Path, stream: IO[bytes]) -> None:
    """A header and one row for each symbol (RFC 4180, UTF-8); a file without one has one row that names none.

    Columns are those of Parquet. What has parts gets a column for each, such as `error_code`; lists are JSON.
    """
    columns = list(_columns(pq.read_schema(parquet)))
    text = io.TextIOWrapper(stream, "utf-8", errors="backslashreplace", newline="", write_through=True)
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in _rows(parquet):
        shared = {name: value for name, value in row.items() if name != _SYMBOL}
        for symbol in row.get(_SYMBOL) or [{}]:
            cells = dict(_cells("", shared | symbol))
            writer.writerow({name: cells.get(name, "") for name in columns})
    text.detach()


def _rows(parquet: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(parquet) as file:
        for batch in file.iter_batches(_ROWS):
            yield from batch.to_pylist()


def _columns(fields: Any, before: str = "") -> Iterator[str]:
    """Names in the order of the schema; the symbol's stand where the list of symbols does."""
    for field in fields:
        kind = field.type
        if field.name == _SYMBOL and not before:
            yield from _columns(kind.value_type)
        elif hasattr(kind, "fields") and not hasattr(kind, "value_type"):
            yield from (
                _columns(kind.fields, f"{before}{field.name}_") if kind.fields else [before + field.name]
            )
        else:
            yield before + field.name


def _cells(before: str, value: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for name, entry in value.items():
        if isinstance(entry, dict):
            yield from _cells(f"{before}{name}_", entry)
        elif isinstance(entry, list):
            yield before + name, json.dumps(entry, ensure_ascii=False)
        elif entry is not None:
            yield before + name, entry
