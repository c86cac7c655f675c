"""The folder beside a result while it is being made, and how the result comes from it.

    results.parquet.parts/_job.json            what is being done
                          _inputs.jsonl        all names in their order, a JSON string a line
                          part-00000000.parquet ...  finished parts, in no order of time
    results.parquet                            made of the parts at the end, whereupon the folder is removed

Every file gets its name when it is whole and on disk. What begins with `_` is no data to readers of Parquet folders.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from service.bulk.job import Job
from service.bulk.tables import Summary, schema

_ROWS_IN_GROUP = 16_384
"""Rows of the result's row groups: whatever the parts were, equal rows make equal files."""
_JOB_KEY, _SUMMARY_KEY = "qrsr.job", "qrsr.summary"


class WorkspaceError(Exception):
    """The result's place is taken by something else, or cannot be used; the message says by what."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the inputs that is worked on, and written, as a whole."""

    index: int
    names: tuple[str, ...]


def finished(result: Path) -> tuple[Job, Summary] | None:
    """What a result says of itself; None where there is none.

    Raises:
        WorkspaceError: something else has its name.
    """
    if not os.path.lexists(result):
        return None
    try:
        metadata = pq.read_metadata(result).metadata or {}
        job = Job.model_validate_json(metadata[_JOB_KEY.encode()])
        return job, Summary(**json.loads(metadata[_SUMMARY_KEY.encode()]))
    except (OSError, pa.ArrowException, KeyError, ValidationError) as error:
        raise WorkspaceError(f"{result} exists and is no result of such a run") from error


class Workspace:
    """See the module. One process at a time has it."""

    def __init__(self, result: Path) -> None:
        self.result = result
        self.folder = result.with_name(result.name + ".parts")
        self._job = self.folder / "_job.json"
        self._inputs = self.folder / "_inputs.jsonl"

    def job(self) -> tuple[Job, int] | None:
        """The job that was begun here and the size of its parts; None where none was.

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
        """Have it, and nobody else.

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
        """Write down the job and all its inputs, if that has not been done.

        Args:
            part: inputs in a part.
            names: asked once, and only then.
        """
        if not self._job.exists():
            content = json.dumps({"job": job.model_dump(mode="json"), "part": part}, indent=1)
            _write(self._job, [content.encode()])
        if not self._inputs.exists():
            # ASCII, with whatever bytes a name has escaped.
            _write(self._inputs, (json.dumps(name).encode() + b"\n" for name in names()))

    def count(self) -> int:
        """Inputs in all."""
        with self._inputs.open("rb") as stream:
            return sum(1 for _ in stream)

    def parts(self, size: int) -> Iterator[Part]:
        """Parts of `size` inputs, one after the other as they are asked for."""
        with self._inputs.open("rb") as stream:
            index = 0
            while names := tuple(json.loads(line) for line in islice(stream, size)):
                yield Part(index, names)
                index += 1

    def done(self, part: Part) -> bool:
        """Whether a part has been written, whole."""
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
        """Make the result of all parts, and remove the folder.

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

        # Within the folder first: it is on the same file system.
        _replace(self.folder / "_result.parquet", write)
        os.replace(self.folder / "_result.parquet", self.result)
        _sync_folder(self.result.parent)
        self.remove()
        return summary

    def remove(self) -> None:
        """Remove the folder, if there is one."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, index: int) -> Path:
        return self.folder / f"part-{index:08d}.parquet"


def _regrouped(tables: Iterable[pa.Table], columns: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in tables of `_ROWS_IN_GROUP`, the last one shorter."""
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
    """Write a file that has its name once it is whole and on disk."""
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
