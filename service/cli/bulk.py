"""`python -m service read|upscale ... --out`: processes any number of files, and continues an interrupted run."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from service.bulk import workspace as places
from service.bulk.file_lists import ListError, listed
from service.bulk.inputs import folder_or_file
from service.bulk.job import Job, Made, Sources, Task, Work, drafts_of
from service.bulk.pool import Pool, drive, in_process
from service.bulk.tables import Summary
from service.bulk.worker import STAGING, WorkerError
from service.bulk.workspace import Part, Workspace, WorkspaceError
from service.cli.command import INTERRUPTED, TERMINATED, complain, guarded
from service.cli.options import NOTHING, READ, STOPPED, UNUSABLE, BulkOptions
from service.cli.progress import Progress, summarised
from service.settings import Settings

RESULT = "results.parquet"
"""Name of the table beside enlarged images."""


def run(options: BulkOptions) -> int:
    """Start or continue the run. Returns the exit status."""
    return guarded(partial(_run, options))


def _run(options: BulkOptions, settings: Settings) -> int:
    out = Path(os.path.abspath(options.out))
    workspace = Workspace(out if options.command == "read" else out / RESULT)
    try:
        with workspace.held():
            # Unfinished images of an earlier run that was killed.
            shutil.rmtree(out / STAGING, ignore_errors=True)
            status = _held(options, settings, workspace, out)
            shutil.rmtree(out / STAGING, ignore_errors=True)
            return status
    except (WorkspaceError, ListError) as error:
        complain(str(error))
        return UNUSABLE
    except (WorkerError, OSError) as error:
        complain(f"{error}\nstopped; the same command goes on")
        return STOPPED


def _held(options: BulkOptions, settings: Settings, workspace: Workspace, out: Path) -> int:
    began, ended = workspace.job(), places.finished(workspace.result)
    earlier = ended or began
    if earlier and not settings.model_version:
        # A run is continued with its own model, even if a newer version has been released.
        settings = settings.model_copy(update={"model_version": earlier[0].made.version})
    if settings.drafts == "auto":
        # Decided once: by whoever began, and here for all machines of a cluster.
        drafts = ("on" if earlier[0].made.draft else "off") if earlier else drafts_of(settings)
        settings = settings.model_copy(update={"drafts": drafts})
    job = _job(options, settings)
    if earlier and (differences := job.differences(earlier[0])):
        complain(
            f"{workspace.result}: another run's ({', '.join(differences)} differ); remove it and "
            f"{workspace.folder.name}, or take another name"
        )
        if ended:
            workspace.remove()
        return UNUSABLE
    if ended:
        workspace.remove()
        complain(f"{summarised(ended[1], str(workspace.result))} (finished before)")
        return _status(ended[1])
    size = began[1] if began else options.part
    workspace.begin(job, size, partial(_names, job.sources, workspace, out))
    task = Task(work=job.work, root=job.sources.root, out=str(out))
    try:
        asyncio.run(_work(options, settings, job, task, workspace, size))
    except KeyboardInterrupt:
        complain("interrupted; the same command goes on")
        return INTERRUPTED
    except asyncio.CancelledError:
        complain("terminated; the same command goes on")
        return TERMINATED
    summary = workspace.merge(job, workspace.parts(size))
    complain(summarised(summary, str(workspace.result)))
    return _status(summary)


def _job(options: BulkOptions, settings: Settings) -> Job:
    sources = Sources(
        root=os.path.abspath(options.root),
        paths=options.sources,
        lists=options.lists,
        column=options.column,
        match=options.match,
    )
    return Job(
        sources=sources, work=Work(command=options.command, format=options.format), made=Made.by(settings)
    )


def _names(sources: Sources, workspace: Workspace, out: Path) -> Iterator[str]:
    """All inputs: files and folders first, then lists."""
    own = [workspace.result, workspace.folder, *([out] if out != workspace.result else [])]
    leave_out = [os.path.realpath(path) for path in own]
    for path in sources.paths:
        yield from folder_or_file(path, root=sources.root, match=sources.match, leave_out=leave_out)
    for path in sources.lists:
        yield from listed(path, column=sources.column)


async def _work(
    options: BulkOptions, settings: Settings, job: Job, task: Task, workspace: Workspace, size: int
) -> None:
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - there is one in every coroutine
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    with Progress(await asyncio.to_thread(workspace.count)) as progress:
        parts = _left(workspace, size, progress)
        first = next(parts, None)
        if first is None:
            return
        async with _pool(options, settings, task, job.made, progress.advanced) as pool:
            await drive(pool, workspace, _chained(first, parts), lambda _, rows: progress.errors(rows))


def _left(workspace: Workspace, size: int, progress: Progress) -> Iterator[Part]:
    for part in workspace.parts(size):
        if workspace.done(part):
            progress.skipped(len(part.names))
        else:
            yield part


def _chained(first: Part, others: Iterator[Part]) -> Iterator[Part]:
    yield first
    yield from others


@asynccontextmanager
async def _pool(
    options: BulkOptions, settings: Settings, task: Task, made: Made, advanced: Callable[[int], None]
) -> AsyncIterator[Pool]:
    if options.ray is None:
        async with in_process(settings, task, made, advanced) as pool:
            yield pool
    else:
        from service.ray.pool import Shape, on_ray

        gpus = float(settings.device == "cuda") if options.worker_gpus is None else options.worker_gpus
        shape = Shape(options.ray, options.workers, options.worker_cpus, gpus)
        async with on_ray(shape, settings, task, made, advanced, complain) as cluster:
            yield cluster


def _status(summary: Summary) -> int:
    if summary.failed:
        return UNUSABLE
    return NOTHING if summary.nothing else READ
