"""The working folder beside a result, and the merging of its parts.

    results.parquet.parts/_job.json            what is being done
                          _inputs.jsonl        all names in their order, a JSON string a line
                          part-00000000.parquet ...  finished parts, in no order of time
    results.parquet                            made of the parts at the end, whereupon the folder is removed

Every file gets its name when it is complete and on disk. Readers of Parquet folders ignore names that begin with `_`.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from service.bulk.job import Job
from service.bulk.tables import Summary, schema
from service.bulk.text_results import text_format

_ROWS_IN_GROUP = 16_384
"""Rows in a row group of the result, whatever the size of the parts, so that equal rows give equal files."""
_JOB_KEY, _SUMMARY_KEY = "qrsr.job", "qrsr.summary"


class WorkspaceError(Exception):
    """The path of the result is in use by something else, or cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive inputs that are processed and written together."""

    index: int
    names: tuple[str, ...]


def finished(result: Path) -> tuple[Job, Summary] | None:
    """The job and summary in the metadata of a result; None where there is no result.

    Raises:
        WorkspaceError: the file is not a result.
    """
    if not os.path.lexists(result):
        return None
    if text_format(result) is not None:
        raise WorkspaceError(f"{result} exists; remove it, or take another name")
    try:
        metadata = pq.read_metadata(result).metadata or {}
        job = Job.model_validate_json(metadata[_JOB_KEY.encode()])
        return job, Summary(**json.loads(metadata[_SUMMARY_KEY.encode()]))
    except (OSError, pa.ArrowException, KeyError, ValidationError) as error:
        raise WorkspaceError(f"{result} exists and is not the result of such a run") from error


class Workspace:
    """The working folder. Only one process at a time may hold it."""

    def __init__(self, result: Path) -> None:
        self.result = result
        self.folder = result.with_name(result.name + ".parts")
        self._job = self.folder / "_job.json"
        self._inputs = self.folder / "_inputs.jsonl"

    def job(self) -> tuple[Job, int] | None:
        """The job that was started here and the size of its parts; None where there is none.

        Raises:
            WorkspaceError: it is not understood.
        """
        try:
            content = json.loads(self._job.read_bytes())
            return Job.model_validate(content["job"]), int(content["part"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(f"{self._job} is not understood; remove its folder to begin anew") from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the folder during the block.

        Raises:
            WorkspaceError: another process has it, or it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "_lock").open("wb")
        except OSError as error:
            raise WorkspaceError(f"{self.folder}: {error.strerror or error}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise WorkspaceError(f"another process works on {self.result}") from error
            try:
                yield
            finally:
                if not self._job.exists():  # nothing was begun, or all was finished
                    self.remove()

    def begin(self, job: Job, part: int, names: Callable[[], Iterator[str]]) -> None:
        """Write the job and all its inputs to the folder, if they are not there.

        Args:
            part: number of inputs in a part.
            names: gives the inputs; called at most once.
        """
        if not self._job.exists():
            content = json.dumps({"job": job.model_dump(mode="json"), "part": part}, indent=1)
            _write(self._job, [content.encode()])
        if not self._inputs.exists():
            # JSON escapes all but ASCII, so any bytes in a name are kept.
            _write(self._inputs, (json.dumps(name).encode() + b"\n" for name in names()))

    def count(self) -> int:
        """Number of inputs."""
        with self._inputs.open("rb") as stream:
            return sum(1 for _ in stream)

    def parts(self, size: int) -> Iterator[Part]:
        """Iterate over parts of `size` inputs."""
        with self._inputs.open("rb") as stream:
            index = 0
            while names := tuple(json.loads(line) for line in islice(stream, size)):
                yield Part(index, names)
                index += 1

    def done(self, part: Part) -> bool:
        """Whether a part is complete."""
        try:
            return bool(pq.read_metadata(self._path(part.index)).num_rows == len(part.names))
        except (OSError, pa.ArrowException):
            return False

    def put(self, part: Part, rows: pa.Table) -> None:
        """Write a part.

        Raises:
            OSError: it cannot be written.
        """
        _replace(self._path(part.index), lambda stream: pq.write_table(rows, stream, compression="zstd"))

    def merge(self, job: Job, parts: Iterable[Part]) -> Summary:
        """Merge all parts into the result, and remove the folder.

        Raises:
            OSError: it cannot be written.
        """
        summary = Summary()
        columns = schema(job.work).with_metadata({_JOB_KEY: job.model_dump_json()})

        def write(stream: IO[bytes]) -> None:
            with pq.ParquetWriter(stream, columns, compression="zstd") as writer:
                for rows in _regrouped((pq.read_table(self._path(part.index)) for part in parts), columns):
                    summary.add(rows)
                    writer.write_table(rows, row_group_size=_ROWS_IN_GROUP)
                writer.add_key_value_metadata({_SUMMARY_KEY: json.dumps(asdict(summary))})

        # Written inside the folder first, which is on the same file system.
        made = self.folder / "_result.parquet"
        _replace(made, write)
        if (text := text_format(self.result)) is not None:
            write_text = partial(text, made)
            made = self.folder / "_result.txt"
            _replace(made, write_text)
        os.replace(made, self.result)
        _sync_folder(self.result.parent)
        self.remove()
        return summary

    def remove(self) -> None:
        """Remove the folder, if it exists."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, index: int) -> Path:
        return self.folder / f"part-{index:08d}.parquet"


def _regrouped(tables: Iterable[pa.Table], columns: pa.Schema) -> Iterator[pa.Table]:
    """Regroup rows into tables of `_ROWS_IN_GROUP`; the last one may be shorter."""
    kept = columns.empty_table()
    for table in tables:
        kept = pa.concat_tables([kept, table.cast(columns)])
        while kept.num_rows >= _ROWS_IN_GROUP:
            yield kept.slice(0, _ROWS_IN_GROUP).combine_chunks()
            kept = kept.slice(_ROWS_IN_GROUP)
    if kept.num_rows:
        yield kept.combine_chunks()


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    _replace(path, lambda stream: stream.writelines(pieces))


def _replace(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file atomically: it gets its name once it is complete and on disk."""
    unfinished = path.with_name(f"_unfinished.{path.name}")
    with unfinished.open("wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(unfinished, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
