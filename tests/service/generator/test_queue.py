"""The engine's queue with an engine and a clock that are made up."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from service.errors import ServiceError
from service.generator.engine import EngineOutput
from service.generator.queue import EngineThreads, Item, Ladder, Ran, TileQueue, run_batch

POISON = 13.0
LATER = 1e9


def tile(value: float, height: int = 4, width: int = 4) -> Any:
    return np.full((1, 1, height, width), value, np.float32)


def item(
    value: float,
    *,
    height: int = 4,
    width: int = 4,
    deadline: float = LATER,
    logits: bool = False,
    draft: bool = False,
) -> Item:
    return Item(tile(value, height, width), logits, deadline, queued=0.0, draft=draft)


class Repeater:
    """Repeats each pixel 4 by 4; fails on poison, and for good on `killer`."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.well = True
        self.killer: float | None = None
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Event()

    manifest: Any = None
    provider = "made up"
    draft: Any = None

    def run(self, lr: Any, *, logits: bool) -> EngineOutput:
        self.entered.set()
        self.go.wait(20)
        values = lr[:, 0, 0, 0].tolist()
        self.batches.append(values)
        self.shapes.append(lr.shape)
        if self.killer in values:
            self.well = False
        if POISON in values or not self.well:
            raise RuntimeError("poison")
        sr = np.repeat(np.repeat(lr, 4, axis=2), 4, axis=3)
        return EngineOutput(sr, -sr if logits else None)

    def healthy(self) -> bool:
        return self.well


class Tally:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def batch(self, size: int, seconds: float) -> None:
        assert seconds >= 0
        self.sizes.append(size)


def test_on_a_cpu_tiles_go_one_by_one_in_their_own_shape() -> None:
    waiting = TileQueue(Ladder(), 10)
    for index in range(3):
        waiting.put(item(index))
    assert [len(waiting.take(0.0)) for _ in range(4)] == [1, 1, 1, 0]


def test_a_batch_is_what_waits_of_one_bucket_in_order_and_the_first_goes_first() -> None:
    waiting = TileQueue(Ladder((1, 2, 4), (8, 16)), 10)
    order = [item(0, height=8), item(1, height=16), item(2), item(3, width=6), item(4), item(5, width=9)]
    for one in order:
        waiting.put(one)
    assert waiting.take(0.0) == [order[0], order[2], order[3], order[4]]
    assert waiting.take(0.0) == [order[1], order[5]]
    assert waiting.take(0.0) == []


def test_drafts_are_made_by_the_draft_and_never_in_one_batch_with_others() -> None:
    waiting = TileQueue(Ladder((1, 2, 4), (8,)), 10)
    order = [item(0, draft=True), item(1), item(2, draft=True), item(3)]
    for one in order:
        waiting.put(one)
    engine, draft = Repeater(), Repeater()
    engine.draft = draft
    while batch := waiting.take(0.0):
        run_batch(engine, waiting.ladder, batch)
    assert (draft.batches, engine.batches) == ([[0, 2]], [[1, 3]])


@pytest.mark.parametrize(("waiting", "expected"), [(1, 1), (2, 2), (3, 2), (4, 4), (7, 4), (9, 4)])
def test_batches_have_the_sizes_of_the_ladder(waiting: int, expected: int) -> None:
    assert Ladder((1, 2, 4), (8,)).most((8, 8), waiting) == expected


def test_pixels_bound_a_batch_but_never_a_single_tile() -> None:
    ladder = Ladder((1, 2, 4, 8), (8, 16), max_pixels=3 * 64)
    assert ladder.most((8, 8), 8) == 2
    assert ladder.most((16, 16), 8) == 1
    assert ladder.shapes() == [(1, 16, 16), (2, 8, 8), (1, 8, 8)]


def test_a_full_queue_refuses() -> None:
    waiting = TileQueue(Ladder(), 2)
    waiting.put(item(0))
    waiting.put(item(1))
    with pytest.raises(ServiceError) as caught:
        waiting.put(item(2))
    assert (caught.value.code, caught.value.retry_after) == ("overloaded", 1)
    assert len(waiting) == 2


def test_who_left_and_whose_time_is_over_is_skipped() -> None:
    waiting = TileQueue(Ladder((1, 2, 4), (8,)), 10)
    left, late, early = item(0), item(1, deadline=5.0), item(2, deadline=5.1)
    for one in (left, late, early):
        waiting.put(one)
    assert left.done.cancel()
    assert waiting.take(5.0) == [early]
    error = late.done.exception(timeout=0)
    assert isinstance(error, ServiceError)
    assert error.code == "deadline_exceeded"


def test_tiles_are_padded_to_their_bucket_and_cut_again() -> None:
    engine, ladder = Repeater(), Ladder((1, 2), (8,))
    first, second = item(1, height=3, width=8, logits=True), item(2, height=5, width=4)
    one, two = run_batch(engine, ladder, [first, second])
    assert engine.shapes == [(2, 1, 8, 8)]
    assert one.sr.shape == (1, 1, 12, 32)
    assert two.sr.shape == (1, 1, 20, 16)
    assert (one.sr == 1).all()
    assert (two.sr == 2).all()
    assert one.logits is not None
    assert (one.logits == -1).all()
    assert two.logits is None


@contextmanager
def threads(engine: Repeater, *, lanes: int = 1, **options: Any) -> Iterator[EngineThreads]:
    running = EngineThreads(
        engine,
        capacity=100,
        watcher=options.pop("watcher", Tally()),
        ladder=Ladder((1, 2, 4), (8,)),
        lanes=lanes,
        **options,
    )
    running.start()
    try:
        yield running
    finally:
        engine.go.set()
        running.stop()


def ask(running: EngineThreads, values: list[float], engine: Repeater) -> list[Ran | BaseException]:
    """The first alone, and while the engine is at it all others."""

    async def scenario() -> list[Ran | BaseException]:
        engine.go.clear()
        engine.entered.clear()
        deadline = time.monotonic() + 60
        calls = []
        for value in values:
            calls.append(asyncio.create_task(running.run(tile(value), logits=False, deadline=deadline)))
            await asyncio.sleep(0)
            if value == values[0] and not running.lost:
                await asyncio.to_thread(engine.entered.wait, 20)
        engine.go.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(scenario())


def values_of(answers: list[Ran | BaseException]) -> list[float | None]:
    return [float(answer.output.sr[0, 0, 0, 0]) if isinstance(answer, Ran) else None for answer in answers]


def test_what_waits_while_the_engine_is_busy_goes_together() -> None:
    engine, tally = Repeater(), Tally()
    with threads(engine, watcher=tally) as running:
        answers = ask(running, [0, 1, 2, 3, 4, 5, 6], engine)
    assert values_of(answers) == [0, 1, 2, 3, 4, 5, 6]
    assert engine.batches == [[0], [1, 2, 3, 4], [5, 6]]
    assert tally.sizes == [1, 4, 2]


def test_a_poisonous_tile_fails_alone() -> None:
    engine = Repeater()
    with threads(engine) as running:
        answers = ask(running, [0, 1, POISON, 3, 4], engine)
        assert values_of(answers) == [0, 1, None, 3, 4]
        assert isinstance(answers[2], RuntimeError)
        assert running.alive
        assert values_of(ask(running, [7], engine)) == [7]
    assert engine.batches[:6] == [[0], [1, POISON, 3, 4], [1], [POISON], [3], [4]]


def test_an_engine_that_is_broken_refuses_all_that_waits_and_tells() -> None:
    engine, told = Repeater(), threading.Event()
    engine.killer = 2.0
    with threads(engine, on_lost=told.set) as running:
        answers = ask(running, [0, 1, 2, 3, 4, 5, 6], engine)
        assert values_of(answers) == [0, None, None, None, None, None, None]
        assert told.wait(20)
        assert running.lost
        assert not running.alive
        refusals = [answer for answer in answers[1:] if isinstance(answer, ServiceError)]
        assert {refusal.code for refusal in refusals} == {"not_ready"}
        assert len(refusals) == 6
        (after,) = ask(running, [9], engine)
        assert isinstance(after, ServiceError)
        assert after.status == 503


def test_lanes_work_side_by_side() -> None:
    engine = Repeater()
    both = threading.Barrier(2, timeout=20)
    run = engine.run

    def meet(lr: Any, *, logits: bool) -> EngineOutput:
        both.wait()
        return run(lr, logits=logits)

    engine.run = meet  # type: ignore[method-assign]
    with threads(engine, lanes=2) as running:

        async def scenario() -> list[Ran]:
            deadline = time.monotonic() + 60
            shapes = ((4, 4), (9, 9))
            calls = (running.run(tile(1, *shape), logits=False, deadline=deadline) for shape in shapes)
            return await asyncio.gather(*calls)

        assert [ran.output.sr.shape[2] for ran in asyncio.run(scenario())] == [16, 36]


def test_what_is_queued_at_the_end_is_still_done() -> None:
    engine = Repeater()
    with threads(engine) as running:

        async def scenario() -> list[float | None]:
            engine.go.clear()
            deadline = time.monotonic() + 60
            calls = [
                asyncio.create_task(running.run(tile(value), logits=False, deadline=deadline))
                for value in (1, 2)
            ]
            await asyncio.sleep(0.05)
            ending = asyncio.create_task(asyncio.to_thread(running.stop))
            await asyncio.sleep(0.05)
            engine.go.set()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            await ending
            return values_of(list(answers))

        assert asyncio.run(scenario()) == [1, 2]
