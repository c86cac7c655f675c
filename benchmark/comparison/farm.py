"""Worker processes for the benchmark: all cores, one job at a time each; a crash loses no other result."""

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from tqdm import tqdm

from benchmark.comparison.arms import Item, Shot, Taken
from benchmark.comparison.processes import PickledProcess
from benchmark.comparison.workbench import Setup, build, take
from benchmark.errors import BenchmarkError
from scoring.outcomes import CRASH, ERROR, TIMEOUT
from service.decoding.processes.errors import JobFailedError, ProcessDiedError

T = TypeVar("T")
R = TypeVar("R")

JOB_LIMIT_S = 300.0
"""Seconds for one job; WeChat can take minutes over some pictures."""


class FarmError(BenchmarkError):
    """Workers do not start; the reason is on standard error."""


class JobLostError(Exception):
    """A job gave no result."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        """One of `CRASH`, `TIMEOUT`, `ERROR`."""


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Worker:
    """One process, replaced when it ends."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._process: PickledProcess | None = None

    def start(self) -> None:
        """Start the process, if there is none."""
        if self._process is None:
            self._process = PickledProcess(build, self._setup)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def call(self, job: Callable[..., R], argument: object) -> R:
        """`job(workbench, argument)`, done in the process.

        Raises:
            JobLostError: the job raised, or its process ended; the next call has a new process.
            FarmError: the process does not start.
        """
        self.start()
        assert self._process is not None
        try:
            self._process.ready()
        except (ProcessDiedError, JobFailedError) as error:
            raise FarmError(f"a worker could not be built: {error}") from error
        start = time.monotonic()
        try:
            return self._process.call(job, argument, limit=JOB_LIMIT_S)
        except ProcessDiedError as error:
            self.stop()
            late = time.monotonic() - start > JOB_LIMIT_S
            raise JobLostError(TIMEOUT if late else CRASH, "the worker process ended") from error
        except JobFailedError as error:
            raise JobLostError(ERROR, str(error)) from error


class Farm:
    """As many workers as asked for. Use as a context manager."""

    def __init__(self, setup: Setup, jobs: int) -> None:
        self._everyone = [Worker(setup) for _ in range(max(1, jobs))]

    def __enter__(self) -> Self:
        for worker in self._everyone:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._everyone:
            worker.stop()

    def map(self, do: Callable[[Worker, T], R], things: Sequence[T], title: str) -> list[R]:
        """`do(worker, thing)` for all things, with the results in their order and a progress bar.

        The first exception ends it and is raised.
        """
        free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._everyone:
            free.put(worker)
        stopped = threading.Event()
        with tqdm(total=len(things), desc=title, smoothing=0.05) as progress:

            def one(thing: T) -> R:
                if stopped.is_set():
                    raise FarmError("stopped")
                worker = free.get()
                try:
                    return do(worker, thing)
                except BaseException:
                    stopped.set()
                    raise
                finally:
                    free.put(worker)
                    progress.update()

            with ThreadPoolExecutor(len(self._everyone)) as threads:
                return list(threads.map(one, things))


def take_item(worker: Worker, item: Item) -> Taken:
    """Take an item through its arms.

    If it is lost, it is tried again arm by arm, so that only the arm at fault is recorded as lost.
    """
    try:
        return worker.call(take, item)
    except JobLostError as error:
        if len(item.arms) == 1:
            tqdm.write(f"{item.name}, {item.arms[0]}: lost, {error}")
            return Taken((Shot(error.outcome, 0.0),), 0)
    parts = [take_item(worker, item.with_arms((arm,))) for arm in item.arms]
    return Taken(
        tuple(shot for part in parts for shot in part.shots), max(part.fingerprint for part in parts)
    )


def run_all(items: Sequence[Item], setup: Setup, jobs: int, title: str) -> list[Taken]:
    """Take every item through its arms, in `jobs` processes; results in the order of `items`.

    Raises:
        FarmError: a worker cannot be built.
    """
    with Farm(setup, min(jobs, len(items))) as farm:
        return farm.map(take_item, items, title)
