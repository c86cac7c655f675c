"""The engine's queue of tiles, their batches, and the threads that run them.

The queue holds tiles, not requests: each tile of a large image waits in line, so a small image waits for a few tiles at
most. There is no timer: an idle engine starts at once, and a batch is what arrived while it was busy.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from model_store.contract import SCALE, Tensor
from service.errors import ServiceError
from service.generator.engine import EngineOutput, UpscaleEngine
from service.machine import give_way

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The shapes that the engine runs."""

    sizes: tuple[int, ...] = (1,)
    """Possible numbers of tiles in a batch, ascending from 1."""
    sides: tuple[int, ...] = ()
    """Sides of the squares that tiles are padded to, ascending; empty for no padding."""
    max_pixels: int = 1 << 22
    """Most LR pixels in a batch; a single tile may have more."""

    def bucket(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a tile after padding."""
        for side in self.sides:
            if max(height, width) <= side:
                return side, side
        return height, width

    def most(self, bucket: tuple[int, int], waiting: int) -> int:
        """Number of tiles in the next batch, when so many of a bucket wait."""
        room = self.max_pixels // (bucket[0] * bucket[1])
        return max((size for size in self.sizes if size <= min(waiting, room)), default=1)

    def shapes(self) -> list[tuple[int, int, int]]:
        """Every (batch, height, width) for the warm-up, the largest first."""
        found = [
            (size, side, side)
            for side in self.sides
            for size in self.sizes
            if size == 1 or size * side * side <= self.max_pixels
        ]
        return sorted(found, key=lambda shape: -shape[0] * shape[1] * shape[2])


@dataclass(frozen=True, slots=True)
class Ran:
    """The output of a tile, and its times in seconds."""

    output: EngineOutput
    queue: float
    inference: float
    """Time of its whole batch."""


@dataclass(slots=True)
class Item:
    """A tile in the queue."""

    lr: Tensor
    """`(1, 1, h, w)`."""
    logits: bool
    deadline: float
    queued: float
    draft: bool = False
    """Whether the engine's draft runs it; there must be one."""
    done: Future[Ran] = field(default_factory=Future)


class TileQueue:
    """The queue itself, without threads and without a clock: times are arguments."""

    def __init__(self, ladder: Ladder, capacity: int) -> None:
        self.ladder = ladder
        self._capacity = capacity
        self._items: deque[Item] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Append a tile.

        Raises:
            ServiceError: `overloaded`, the queue is full.
        """
        if len(self._items) >= self._capacity:
            raise ServiceError(
                "overloaded", "the engine's queue is full", retry_after=1, reason="engine_queue"
            )
        self._items.append(item)

    def take(self, now: float) -> list[Item]:
        """Remove the next batch: the first tile whose caller still waits and has time, and others of its bucket.

        Draft tiles are not mixed with others. The remaining tiles keep their order. Empty when no tile is left.
        """
        self._drop(now)
        while self._items:
            first = self._items[0]
            bucket = self._bucket(first)
            alike = [
                item for item in self._items if self._bucket(item) == bucket and item.draft == first.draft
            ]
            batch = alike[: self.ladder.most(bucket, len(alike))]
            chosen = {id(item) for item in batch}
            self._items = deque(item for item in self._items if id(item) not in chosen)
            # A caller may have been cancelled since.
            if running := [item for item in batch if item.done.set_running_or_notify_cancel()]:
                return running
        return []

    def clear(self) -> list[Item]:
        """Remove all tiles."""
        items, self._items = list(self._items), deque()
        return items

    def _drop(self, now: float) -> None:
        kept: deque[Item] = deque()
        for item in self._items:
            if item.done.cancelled():
                item.done.set_running_or_notify_cancel()
            elif now >= item.deadline:
                fail(item, _late())
            else:
                kept.append(item)
        self._items = kept

    def _bucket(self, item: Item) -> tuple[int, int]:
        return self.ladder.bucket(*item.lr.shape[2:])


def fail(item: Item, error: Exception) -> None:
    """Pass an error to the caller of a tile, unless it has been cancelled."""
    if item.done.running() or item.done.set_running_or_notify_cancel():
        item.done.set_exception(error)


def run_batch(engine: UpscaleEngine, ladder: Ladder, items: list[Item]) -> list[EngineOutput]:
    """Run tiles of one bucket as one batch, either all or none of them on the draft.

    Returns their outputs in the same order, without the padding.
    """
    height, width = ladder.bucket(*items[0].lr.shape[2:])
    lr = np.concatenate([_padded(item.lr, height, width) for item in items])
    chosen = engine.draft if items[0].draft else engine
    assert chosen is not None  # noqa: S101 - for the type checker; see `Item.draft`
    made = chosen.run(lr, logits=any(item.logits for item in items))
    outputs = []
    for index, item in enumerate(items):
        part = (slice(index, index + 1), slice(None), *(slice(SCALE * n) for n in item.lr.shape[2:]))
        logits = made.logits[part] if item.logits and made.logits is not None else None
        outputs.append(EngineOutput(made.sr[part], logits))
    return outputs


def _padded(lr: Tensor, height: int, width: int) -> Tensor:
    below, beside = height - lr.shape[2], width - lr.shape[3]
    if not below and not beside:
        return lr
    return np.pad(lr, ((0, 0), (0, 0), (0, below), (0, beside)), mode="edge")


class Watcher(Protocol):
    """Is notified of the engine's batches."""

    def batch(self, size: int, seconds: float) -> None:
        """A batch of `size` tiles was run, or failed, in so many seconds."""
        ...


class EngineThreads:
    """The threads that run the engine."""

    def __init__(
        self,
        engine: UpscaleEngine,
        *,
        capacity: int,
        watcher: Watcher,
        ladder: Ladder | None = None,
        lanes: int = 1,
        clock: Callable[[], float] = time.monotonic,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            engine: called from this object's threads only, by `lanes` of them at the same time.
            capacity: most tiles in the queue.
            on_lost: called in an engine thread after the engine has failed permanently and all waiting tiles have been
                refused.
        """
        self.engine = engine
        self.lanes = lanes
        self._watcher, self._clock, self._on_lost = watcher, clock, on_lost
        self._queue = TileQueue(ladder or Ladder(), capacity)
        self._changed = threading.Condition()
        self._ended = False
        self._lost = False
        self._threads = [
            threading.Thread(target=self._loop, name=f"engine-{lane}", daemon=True) for lane in range(lanes)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the queued tiles, then end the threads."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    @property
    def alive(self) -> bool:
        """Whether tiles can still be run."""
        return not self._lost and all(thread.is_alive() for thread in self._threads)

    @property
    def lost(self) -> bool:
        """Whether the engine has failed permanently."""
        return self._lost

    @property
    def waiting(self) -> int:
        """Tiles in the queue."""
        return len(self._queue)

    async def run(self, lr: Tensor, *, logits: bool, deadline: float, draft: bool = False) -> Ran:
        """Queue a tile `(1, 1, h, w)` and wait for its output. The tile of a cancelled caller is dropped.

        Args:
            draft: whether to use the engine's draft; there must be one.

        Raises:
            ServiceError: `not_ready` when the engine has ended, `overloaded` when the queue is full,
                `deadline_exceeded` when the deadline passes in the queue.
        """
        item = Item(lr, logits, deadline, self._clock(), draft)
        with self._changed:
            if self._ended or self._lost:
                raise _gone()
            self._queue.put(item)
            self._changed.notify()
        return await asyncio.wrap_future(item.done)

    def _loop(self) -> None:
        give_way()
        while (batch := self._next()) is not None:
            self._work(batch)

    def _next(self) -> list[Item] | None:
        with self._changed:
            while True:
                if self._lost:
                    return None
                if batch := self._queue.take(self._clock()):
                    return batch
                if self._ended:
                    return None
                self._changed.wait()

    def _work(self, batch: list[Item]) -> None:
        if self._try(batch) or len(batch) == 1:
            return
        _log.warning("a batch failed; its tiles are run one by one", extra={"size": len(batch)})
        for item in batch:
            self._try([item])

    def _try(self, batch: list[Item]) -> bool:
        """Run a batch. Returns whether it is settled: a failed batch of several tiles is to be tried one by one."""
        if self._lost:
            self._refuse(batch)
            return True
        started = self._clock()
        try:
            outputs = run_batch(self.engine, self._queue.ladder, batch)
        except Exception as error:
            self._watcher.batch(len(batch), self._clock() - started)
            if len(batch) == 1:
                fail(batch[0], error)
            if not self.engine.healthy():
                self._break()
            return False
        seconds = self._clock() - started
        self._watcher.batch(len(batch), seconds)
        for item, output in zip(batch, outputs, strict=True):
            item.done.set_result(Ran(output, started - item.queued, seconds))
        return True

    def _break(self) -> None:
        with self._changed:
            self._lost = True
            waiting = self._queue.clear()
            self._changed.notify_all()
        _log.critical("the engine has failed permanently")
        self._refuse(waiting)
        self._on_lost()

    @staticmethod
    def _refuse(items: Iterable[Item]) -> None:
        for item in items:
            fail(item, _gone())


def _gone() -> ServiceError:
    return ServiceError("not_ready", "the engine has ended", retry_after=5, reason="not_ready")


def _late() -> ServiceError:
    return ServiceError("deadline_exceeded", "the engine was busy for too long", reason="deadline")
