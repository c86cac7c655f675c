"""The engine's queue: what waits, what goes together, and the threads that take it.

The queue's items are tiles, not requests: a large image waits between its tiles like everybody else, so a
small one is never held up by more than a few. An idle engine takes what waits at once, without a timer: a batch is
what came while the engine was busy.
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
    """The shapes that the engine is asked for."""

    sizes: tuple[int, ...] = (1,)
    """Numbers of tiles in a batch, ascending from 1."""
    sides: tuple[int, ...] = ()
    """Sides of squares that tiles are padded to, ascending; empty leaves every tile its own shape."""
    max_pixels: int = 1 << 22
    """LR pixels in a batch; one tile alone may have more."""

    def bucket(self, height: int, width: int) -> tuple[int, int]:
        """The height and width that a tile is given to the engine with."""
        for side in self.sides:
            if max(height, width) <= side:
                return side, side
        return height, width

    def most(self, bucket: tuple[int, int], waiting: int) -> int:
        """How many of `waiting` tiles of a bucket make the next batch."""
        room = self.max_pixels // (bucket[0] * bucket[1])
        return max((size for size in self.sizes if size <= min(waiting, room)), default=1)

    def shapes(self) -> list[tuple[int, int, int]]:
        """Every (batch, height, width) on the ladder, largest first: what is to be warmed up."""
        found = [
            (size, side, side)
            for side in self.sides
            for size in self.sizes
            if size == 1 or size * side * side <= self.max_pixels
        ]
        return sorted(found, key=lambda shape: -shape[0] * shape[1] * shape[2])


@dataclass(frozen=True, slots=True)
class Ran:
    """One tile's output and where its time went, in seconds."""

    output: EngineOutput
    queue: float
    inference: float
    """Of the whole batch it was in."""


@dataclass(slots=True)
class Item:
    """One tile that waits."""

    lr: Tensor
    """`(1, 1, h, w)`."""
    logits: bool
    deadline: float
    queued: float
    draft: bool = False
    """Whether it is for the engine's draft; there must be one."""
    done: Future[Ran] = field(default_factory=Future)


class TileQueue:
    """What waits and what goes next. Neither threads nor a clock of its own: times are given."""

    def __init__(self, ladder: Ladder, capacity: int) -> None:
        self.ladder = ladder
        self._capacity = capacity
        self._items: deque[Item] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Put it last.

        Raises:
            ServiceError: `overloaded`, the queue is full.
        """
        if len(self._items) >= self._capacity:
            raise ServiceError(
                "overloaded", "the engine's queue is full", retry_after=1, reason="engine_queue"
            )
        self._items.append(item)

    def take(self, now: float) -> list[Item]:
        """The first tile whose caller still waits and still has time, with others of its bucket.

        Tiles of other buckets, and drafts beside others, keep their order. Empty when nothing is left to do.
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
            # A caller may have left since a moment ago.
            if running := [item for item in batch if item.done.set_running_or_notify_cancel()]:
                return running
        return []

    def clear(self) -> list[Item]:
        """Take everything out."""
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
    """Tell whoever waits for the item, unless they have left."""
    if item.done.running() or item.done.set_running_or_notify_cancel():
        item.done.set_exception(error)


def run_batch(engine: UpscaleEngine, ladder: Ladder, items: list[Item]) -> list[EngineOutput]:
    """Run tiles of one bucket, all for the draft or none, as one batch; outputs in their order, each of its own tile's
    size."""
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
    """Who is told what the engine did."""

    def batch(self, size: int, seconds: float) -> None:
        """A batch was run, or failed."""
        ...


class EngineThreads:
    """The threads that own the engine, one or more, away from the event loop."""

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
            engine: called from this object's threads only, `lanes` of them at a time.
            capacity: tiles that may wait.
            on_lost: called in an engine thread when the engine is broken for good; everything that waits has
                been refused then.
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
        """Finish what is queued, then end the threads."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    @property
    def alive(self) -> bool:
        """Whether it can still run anything."""
        return not self._lost and all(thread.is_alive() for thread in self._threads)

    @property
    def lost(self) -> bool:
        """Whether the engine broke for good."""
        return self._lost

    @property
    def waiting(self) -> int:
        """Tiles in the queue."""
        return len(self._queue)

    async def run(self, lr: Tensor, *, logits: bool, deadline: float, draft: bool = False) -> Ran:
        """Queue a tile `(1, 1, h, w)` and wait for its output. A caller that is cancelled is not worked for.

        Args:
            draft: whether the engine's draft is to make it; there must be one.

        Raises:
            ServiceError: `not_ready` when the engine has ended, `overloaded` when the queue is full,
                `deadline_exceeded` when its turn comes too late.
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
        _log.warning("a batch failed and is run again one by one", extra={"size": len(batch)})
        for item in batch:
            self._try([item])

    def _try(self, batch: list[Item]) -> bool:
        """Run a batch; one tile alone is told of its failure, several are not."""
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
        _log.critical("the engine is broken for good")
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
