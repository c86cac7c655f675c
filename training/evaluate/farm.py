"""Worker processes for the benchmark: all cores, one item at a time each, and nothing lost when one
crashes."""

import os
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tqdm import tqdm

from service.decoding.process import DecoderProcess, JobFailedError, ProcessDiedError, pack
from training.evaluate.arms import CRASH, ERROR, TIMEOUT, Item, Shot, Taken
from training.evaluate.workbench import Setup, build, take

ITEM_LIMIT_S = 120.0
"""Seconds for one item; WeChat can take minutes on some pictures."""


class FarmError(Exception):
    """Workers do not come up; the reason is on standard error."""


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(items: Sequence[Item], setup: Setup, jobs: int, title: str) -> list[Taken]:
    """Take every item through its arms in `jobs` processes; results in the order of `items`.

    An item whose process ends is tried again arm by arm, so that only the arm at fault is recorded as a crash
    or a timeout.

    Raises:
        FarmError: a worker cannot be built.
    """
    workers: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    everyone = [_Worker(setup) for _ in range(max(1, min(jobs, len(items))))]
    stopped = threading.Event()
    with tqdm(total=len(items), desc=title, unit="item", smoothing=0.05) as progress:

        def one(item: Item) -> Taken:
            if stopped.is_set():
                raise FarmError("stopped")
            worker = workers.get()
            try:
                return worker.take(item)
            except FarmError:
                stopped.set()
                raise
            finally:
                workers.put(worker)
                progress.update()

        try:
            for worker in everyone:
                worker.start()
                workers.put(worker)
            with ThreadPoolExecutor(len(everyone)) as threads:
                return list(threads.map(one, items))
        finally:
            for worker in everyone:
                worker.stop()


class _Worker:
    """One process, replaced when it ends."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._process: DecoderProcess | None = None

    def start(self) -> None:
        if self._process is None:
            self._process = DecoderProcess(build, (self._setup,))

    def stop(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def take(self, item: Item) -> Taken:
        taken = self._try(item)
        if not isinstance(taken, str):
            return taken
        if len(item.arms) == 1:
            return Taken((Shot(taken, 0.0),), 0)
        parts = [self.take(item.with_arms((arm,))) for arm in item.arms]
        return Taken(
            tuple(shot for part in parts for shot in part.shots), max(part.fingerprint for part in parts)
        )

    def _try(self, item: Item) -> Taken | str:
        """The result, or why there is none."""
        self.start()
        assert self._process is not None  # noqa: S101 - for the type checker
        try:
            self._process.ready()
        except (ProcessDiedError, JobFailedError) as error:
            raise FarmError(f"a worker could not be built: {error}") from error
        start = time.monotonic()
        try:
            result = self._process.call(pack(take, (item,), ITEM_LIMIT_S))
        except ProcessDiedError:
            self.stop()
            return TIMEOUT if time.monotonic() - start > ITEM_LIMIT_S else CRASH
        except JobFailedError as error:
            if len(item.arms) == 1:
                tqdm.write(f"{item.name}, {item.arms[0]}: the worker raised {error}")
            return ERROR
        if not isinstance(result, Taken):
            raise FarmError(f"a worker answered {type(result).__name__}")
        return result
