"""Places, bytes and pixels between all requests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from service.errors import ServiceError
from service.pipeline.admission import Budget, Gate


def refusal(gate: Gate, size: int) -> str | None:
    """Why a body of so many bytes is refused, wherever on its way; None where it comes in."""
    try:
        with gate.entry(size) as entry:
            entry.arrived(size)
            entry.take_place()
            return None
    except ServiceError as refused:
        error = refused
    assert error.code == "overloaded"
    assert error.retry_after is not None
    return error.reason


@contextmanager
def inside(gate: Gate, size: int) -> Iterator[None]:
    with gate.entry(size) as entry:
        entry.arrived(size)
        entry.take_place()
        yield


@asynccontextmanager
async def holding(budget: Budget, amount: int) -> AsyncIterator[None]:
    await budget.take(amount)
    try:
        yield
    finally:
        budget.give(amount)


def test_places_and_bytes_are_given_back() -> None:
    gate = Gate(places=2, bytes_inside=100)
    with inside(gate, 60):
        assert refusal(gate, 41) == "bytes"
        assert refusal(gate, 40) is None
        with inside(gate, 40):
            assert refusal(gate, 0) == "places"
            assert gate.taken == 2
    assert (gate.taken, gate.arriving, gate.size) == (0, 0, 0)
    assert refusal(gate, 100) is None


def test_one_body_alone_is_never_too_large() -> None:
    assert refusal(Gate(places=2, bytes_inside=100), 1000) is None


def test_who_is_on_the_way_holds_what_has_arrived_and_no_place() -> None:
    gate = Gate(places=1, bytes_inside=100)
    with gate.entry(90) as slow:
        slow.arrived(10)
        assert (gate.taken, gate.arriving, gate.size) == (0, 1, 10)
        assert refusal(gate, 90) is None
        assert refusal(gate, 91) == "bytes"
        with inside(gate, 50):
            with pytest.raises(ServiceError) as late:
                slow.take_place()
            assert late.value.reason == "places"
            with pytest.raises(ServiceError) as large:
                slow.arrived(41)
            assert large.value.reason == "bytes"
            assert gate.size == 60
        slow.arrived(80)
        slow.take_place()
    assert (gate.taken, gate.arriving, gate.size) == (0, 0, 0)


def test_so_many_may_be_on_the_way() -> None:
    gate = Gate(places=1, bytes_inside=100, most_arriving=2)
    with gate.entry(1), gate.entry(1) as second:
        assert refusal(gate, 1) == "uploads"
        second.take_place()
        with pytest.raises(ServiceError) as full, gate.entry(1):
            pass
        assert full.value.reason == "places"
    assert (gate.taken, gate.arriving) == (0, 0)


def test_what_is_large_waits_and_what_is_small_goes_past() -> None:
    async def scenario() -> list[str]:
        budget, order, leave = Budget(10), list[str](), asyncio.Event()

        async def hold(name: str, amount: int, until: asyncio.Event | None = None) -> None:
            async with holding(budget, amount):
                order.append(name)
                await (until.wait() if until else asyncio.sleep(0))

        tasks = [
            asyncio.create_task(hold("first", 7, leave)),
            asyncio.create_task(hold("large", 8)),
            asyncio.create_task(hold("more than all", 99)),
            asyncio.create_task(hold("small", 3)),
        ]
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == ["first", "small"]
        leave.set()
        await asyncio.gather(*tasks)
        assert budget.free == 10
        return order

    assert asyncio.run(scenario()) == ["first", "small", "large", "more than all"]


@pytest.mark.parametrize("granted", [False, True])
def test_who_leaves_while_waiting_takes_nothing_along(granted: bool) -> None:
    async def scenario() -> None:
        budget = Budget(5)

        async def hold() -> None:
            async with holding(budget, 5):
                await asyncio.sleep(0)

        async with holding(budget, 5):
            waiting = asyncio.create_task(hold())
            await asyncio.sleep(0)
            if not granted:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
        if granted:
            # Room was made for it a moment ago, and it has not yet gone on.
            assert budget.free == 0
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        assert budget.free == 5

    asyncio.run(scenario())


def test_what_must_not_wait_is_told_whether_it_holds() -> None:
    async def scenario() -> None:
        budget, leave = Budget(10), asyncio.Event()

        async def hold(amount: int) -> None:
            async with holding(budget, amount):
                await leave.wait()

        task = asyncio.create_task(hold(6))
        await asyncio.sleep(0)
        assert not budget.take_now(5)
        assert budget.free == 4
        assert budget.take_now(4)
        assert budget.free == 0
        budget.give(4)
        leave.set()
        await task
        assert budget.take_now(99)
        assert budget.free == 0
        budget.give(99)
        assert budget.free == 10

    asyncio.run(scenario())
