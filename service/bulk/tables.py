"""The columns of a result: the fields of the API's answers without times.

Without times, an interrupted run gives the same rows as one that was not interrupted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from service.bulk.job import Work
from service.files import utf8
from service.pipeline.answers import DecodeAnswer, ModelRef, Size

Row = dict[str, Any]

_SIZE = pa.struct([("width", pa.int32()), ("height", pa.int32())])
_MODEL = pa.struct([("name", pa.string()), ("version", pa.int32())])
_ERROR = pa.struct([("code", pa.string()), ("detail", pa.string())])
_PLACE = pa.struct([("index", pa.int8()), ("total", pa.int8()), ("parity", pa.int16())])
_QUALITY = pa.struct(
    [
        ("misread_bound", pa.float64()),
        ("modules_corrected", pa.int32()),
        ("unused_error_correction", pa.float64()),
        ("pixels_per_module", pa.float64()),
    ]
)
_SYMBOL = pa.struct(
    [
        ("text", pa.string()),
        ("payload_base64", pa.string()),
        ("encoding", pa.string()),
        ("encoding_source", pa.string()),
        ("points", pa.list_(pa.list_(pa.float64()))),
        ("reader", pa.string()),
        ("attempt", pa.string()),
        ("kind", pa.string()),
        ("symbology", pa.string()),
        ("version", pa.string()),
        ("error_correction", pa.string()),
        ("mask", pa.int8()),
        ("mirrored", pa.bool_()),
        ("inverted", pa.bool_()),
        ("structured_append", _PLACE),
        ("quality", _QUALITY),
    ]
)
_JOINED = pa.struct(
    [
        ("text", pa.string()),
        ("payload_base64", pa.string()),
        ("encoding", pa.string()),
        ("encoding_source", pa.string()),
        ("total", pa.int8()),
        ("parity", pa.int16()),
        ("parity_matches", pa.bool_()),
    ]
)
_INCOMPLETE = pa.struct([("reason", pa.string()), ("retry", pa.bool_())])
_ATTEMPT = pa.struct([("attempt", pa.string()), ("outcome", pa.string())])

READ = pa.schema(
    [
        ("file", pa.string()),
        ("symbols", pa.list_(_SYMBOL)),
        ("joined", pa.list_(_JOINED)),
        ("image", _SIZE),
        ("upscaled", pa.bool_()),
        ("complete", pa.bool_()),
        ("incomplete", _INCOMPLETE),
        ("attempts", pa.list_(_ATTEMPT)),
        ("model", _MODEL),
        ("error", _ERROR),
    ]
)
"""A row for each file. With an error, all columns but `file` and `error` are null; without one, `error` is null."""

UPSCALE = pa.schema(
    [
        ("file", pa.string()),
        ("output", pa.string()),
        ("format", pa.string()),
        ("image", _SIZE),
        ("size", _SIZE),
        ("bytes", pa.int64()),
        ("model", _MODEL),
        ("error", _ERROR),
    ]
)
"""The same; `output` is relative to the folder of the enlarged images, `image` and `size` are before and after."""


def schema(work: Work) -> pa.Schema:
    """Of the result."""
    return READ if work.command == "read" else UPSCALE


def read_row(name: str, answer: DecodeAnswer) -> Row:
    """Row of a file that was read, with or without symbols."""
    return {"file": utf8(name)} | answer.model_dump(mode="json", exclude={"timings_ms"})


def upscale_row(
    name: str, output: str, kind: str, image: Size, size: Size, count: int, model: ModelRef
) -> Row:
    """Row of a file that was enlarged to `count` bytes."""
    return {
        "file": utf8(name),
        "output": utf8(output),
        "format": kind,
        "image": image.model_dump(),
        "size": size.model_dump(),
        "bytes": count,
        "model": model.model_dump(),
    }


def error_row(name: str, code: str, detail: str) -> Row:
    """Row of a file that could not be used."""
    return {"file": utf8(name), "error": {"code": code, "detail": utf8(detail)}}


def table(rows: Iterable[Row], work: Work) -> pa.Table:
    """A table of the rows."""
    return pa.Table.from_pylist(list(rows), schema(work))


@dataclass(slots=True)
class Summary:
    """Counts of a result."""

    files: int = 0
    nothing: int = 0
    """Files in which no symbol was read; 0 for `upscale`."""
    errors: dict[str, int] = field(default_factory=dict)
    """Number of files by error code, sorted."""

    @property
    def failed(self) -> int:
        """Number of files that could not be used."""
        return sum(self.errors.values())

    def add(self, rows: pa.Table) -> None:
        """Count the rows of a table."""
        self.files += rows.num_rows
        if "symbols" in rows.schema.names:
            lengths = pc.list_value_length(rows["symbols"])
            self.nothing += pc.sum(pc.equal(lengths, 0)).as_py() or 0
        codes = pc.value_counts(pc.struct_field(rows["error"], "code").drop_null())
        for entry in codes.to_pylist():
            self.errors[entry["values"]] = self.errors.get(entry["values"], 0) + entry["counts"]
        self.errors = dict(sorted(self.errors.items()))


def failures(rows: pa.Table) -> list[Mapping[str, str]]:
    """`file`, `code` and `detail` of the files that could not be used."""
    failed = rows.filter(pc.is_valid(rows["error"])).select(["file", "error"])
    return [{"file": row["file"], **row["error"]} for row in failed.to_pylist()]
