"""Processes files to rows of the result, with an engine and decoder processes of its own."""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import pyarrow as pa

from service import files
from service.bulk.job import Made, Task, drafts_of, enlarged_name
from service.bulk.tables import Row, error_row, read_row, table, upscale_row
from service.decoding.cascade import ATTEMPTS
from service.errors import ServiceError
from service.files import FileError
from service.pipeline.answers import ModelRef, UpscaleQuery
from service.pipeline.decoder import DecoderProcesses
from service.pipeline.read_and_enlarge import enlarge, read
from service.pipeline.runtime import Services, opened
from service.pipeline.runtime import Task as Upload
from service.settings import Settings

STAGING = ".unfinished"
"""Folder inside that of the enlarged images, for files that are being written."""

_PATIENCE = 10
"""Factor on the time limits of readers, so that a busy machine reads the same as an idle one."""
_DEADLINE_S = 600.0
_AHEAD = 2
"""Files loaded for each one in progress."""
_NOT_THE_FILE = frozenset({"overloaded", "not_ready", "client_closed_request"})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE})

_log = logging.getLogger(__name__)


class WorkerError(Exception):
    """An error that stops a run and is not due to a file."""


class EngineLostError(WorkerError):
    """The engine has failed permanently; a new process may work."""


class Worker:
    """Reads or enlarges files, several at a time."""

    def __init__(self, ready: Services, task: Task, told: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            told: called after every file.
        """
        self._services, self._task, self._told = ready, task, told
        self._places = asyncio.Semaphore(_AHEAD * ready.turns.total)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: Settings, task: Task, told: Callable[[], None] = lambda: None
    ) -> AsyncIterator[Self]:
        """A worker with its own engine and decoder processes, which end with the block.

        Raises:
            ManifestError, EngineError, PoolError: see `service.pipeline.runtime.opened`.
        """
        patient = tuple(replace(attempt, limit=attempt.limit * _PATIENCE) for attempt in ATTEMPTS)
        unhurried = settings.model_copy(update={"deadline_s": _DEADLINE_S, "drafts": drafts_of(settings)})
        decoder = partial(DecoderProcesses, attempts=patient)
        async with opened(unhurried, decoder=decoder) as ready:
            yield cls(ready, task, told)

    @property
    def made(self) -> Made:
        """What its answers depend on, by the actual state of engine and decoder."""
        settings, manifest = self._services.settings, self._services.engine.engine.manifest
        nets = self._services.decoder.state().wechat_nets
        claimed = Made.by(settings)
        return claimed.model_copy(
            update={"version": manifest.version, "sha256": manifest.model.sha256, "wechat_nets": nets}
        )

    async def table(self, names: Sequence[str]) -> pa.Table:
        """A row for each file, in their order.

        Raises:
            WorkerError: the run cannot continue.
        """
        try:
            async with asyncio.TaskGroup() as group:
                rows = [group.create_task(self._row(name)) for name in names]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return table((row.result() for row in rows), self._task.work)

    async def _row(self, name: str) -> Row:
        async with self._places:
            try:
                row = await self._answered(name)
            except FileError as error:
                row = error_row(name, error.code, error.detail)
            except ServiceError as error:
                if error.code in _NOT_THE_FILE and not self._services.engine.lost:
                    raise WorkerError(error.detail) from error
                row = error_row(name, error.code, error.detail)
            except WorkerError:
                raise
            except Exception as error:
                # An unexpected failure on one file does not stop the run.
                _log.exception("unforeseen failure")
                row = error_row(name, "internal", f"an unforeseen failure: {type(error).__name__}")
            if self._services.engine.lost:
                raise EngineLostError("the engine has failed permanently")
        self._told()
        return row

    async def _answered(self, name: str) -> Row:
        settings = self._services.settings
        path = self._task.source(name)
        # Not in the executor for images, which slow storage would block.
        data = await asyncio.to_thread(files.load, path, max_bytes=settings.max_body_bytes)
        upload = Upload.of(self._services, data)
        if self._task.work.format is None:
            return read_row(name, await read(upload))
        query = UpscaleQuery(format=self._task.work.format)
        enlarged = await enlarge(upload, query)
        output = enlarged_name(name, root=self._task.root, kind=query.kind)
        await asyncio.to_thread(self._save, output, enlarged.data)
        manifest = self._services.engine.engine.manifest
        model = ModelRef(name=manifest.name, version=manifest.version)
        count = len(enlarged.data)
        return upscale_row(name, str(output), query.kind, enlarged.image, enlarged.size, count, model)

    def _save(self, output: Path, data: bytes) -> None:
        """Write an enlarged image.

        Raises:
            FileError: `output_unwritable`, if only this file cannot be written.
            WorkerError: no file can be written.
        """
        assert self._task.out is not None  # noqa: S101 - `upscale` always has one
        try:
            files.save(Path(self._task.out, output), data, staging=Path(self._task.out, STAGING))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            if error.errno in _NO_ROOM:
                raise WorkerError(f"{self._task.out}: {reason}") from error
            raise FileError("output_unwritable", f"the enlarged image cannot be written: {reason}") from error
