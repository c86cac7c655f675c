"""Lists of files: plain text, CSV, JSON Lines and Parquet, read as streams."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

USUAL_COLUMNS = ("file", "path", "file_name", "filename", "image")
"""Columns that are looked for, in this order, if none is named. A single column is used whatever its name."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


class ListError(Exception):
    """An invalid list; the message names it, and the line if there is one."""


def listed(path: str, *, column: str | None) -> Iterator[str]:
    """Iterate over the names in a list.

    The suffix gives its format: `.parquet`; `.csv` and `.tsv` with a header; `.jsonl` and `.ndjson` with
    a string or an object a line; everything else, and `-` for standard input, is text with a name a line, empty
    lines left out.

    Args:
        column: name of the column, or of the objects' key; see `USUAL_COLUMNS` where it is None.

    Raises:
        ListError: the list is invalid.
    """
    suffix = Path(path).suffix.lower()
    try:
        if suffix == ".parquet":
            yield from _parquet(path, column)
            return
        with _lines(path) as lines:
            if suffix in (".csv", ".tsv"):
                yield from _table(path, lines, "\t" if suffix == ".tsv" else ",", column)
            elif suffix in (".jsonl", ".ndjson"):
                yield from _objects(path, lines, column)
            else:
                yield from (name for line in lines if (name := line.rstrip("\r\n")))
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}") from error


@contextmanager
def _lines(path: str) -> Iterator[Iterable[str]]:
    # Bytes of file names that are not UTF-8 are kept, as by os.listdir.
    with (
        os.fdopen(os.dup(sys.stdin.fileno()), "rb") if path == "-" else open(path, "rb") as stream,
        io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="") as text,
    ):
        first = text.readline().removeprefix(_BOM)
        yield (line for lines in ((first,), text) for line in lines if line)


def _table(path: str, lines: Iterable[str], delimiter: str, column: str | None) -> Iterator[str]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
        index = header.index(_column(path, header, column))
        for row in rows:
            if row:
                yield _name(path, rows.line_num, row[index] if index < len(row) else None)
    except csv.Error as error:
        raise ListError(f"{path}, line {rows.line_num}: {error}") from error


def _objects(path: str, lines: Iterable[str], column: str | None) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry: Any = json.loads(line)
        except ValueError as error:
            raise ListError(f"{path}, line {number}: {error}") from error
        if isinstance(entry, dict):
            entry = entry.get(_column(path, [*map(str, entry)], column))
        yield _name(path, number, entry)


def _parquet(path: str, column: str | None) -> Iterator[str]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            name = _column(path, file.schema_arrow.names, column)
            for batch in file.iter_batches(columns=[name]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield _name(path, number, os.fsdecode(value) if isinstance(value, bytes) else value)
    except pa.ArrowException as error:
        raise ListError(f"{path}: {error}") from error


def _column(path: str, columns: list[str], wanted: str | None) -> str:
    if wanted is None:
        usual = [name for name in USUAL_COLUMNS if name in columns] or columns
        if len(columns) == 1 or usual is not columns:
            return usual[0]
        raise ListError(f"{path}: name the column, one of {', '.join(columns) or '(there are none)'}")
    if wanted not in columns:
        raise ListError(f"{path}: no column {wanted!r}, but {', '.join(columns) or '(none)'}")
    return wanted


def _name(path: str, number: int, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ListError(f"{path}, line {number}: no file name")
    return value
