"""Limits of time, departed clients, and whose cancellation it was."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message

from service.errors import ServiceError
from service.server import deadline
from service.server.deadline import Watch


def slow() -> ServiceError:
    return ServiceError("upload_timeout", "slow")


def late() -> ServiceError:
    return ServiceError("deadline_exceeded", "late")


class Client:
    """Leaves when it is told to."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.asked = 0

    async def receive(self) -> Message:
        self.asked += 1
        await self.leaves.wait()
        return {"type": "http.disconnect"}


Scenario = Callable[[Client, Watch], Awaitable[str]]


def outcome(scenario: Scenario, monkeypatch: pytest.MonkeyPatch, look: float = 0.02) -> str:
    """What the scenario returns, or the code of what ended it."""
    monkeypatch.setattr(deadline, "LOOK_S", look)

    async def main() -> str:
        client = Client()
        try:
            with Watch(client.receive) as watched:
                found = await scenario(client, watched)
        except ServiceError as error:
            found = error.code
        # Nothing of it comes afterwards.
        client.leaves.set()
        await asyncio.sleep(0.05)
        here = asyncio.current_task()
        assert here is not None
        assert here.cancelling() == 0
        assert asyncio.all_tasks() == {here}
        return found

    return asyncio.run(main())


@pytest.mark.parametrize("look", [0.0, 0.02, 5.0])
def test_the_limit_ends_the_work(monkeypatch: pytest.MonkeyPatch, look: float) -> None:
    async def scenario(_: Client, watched: Watch) -> str:
        watched.until(time.monotonic() + 0.05, late)
        await asyncio.sleep(20)
        return "not ended"

    started = time.monotonic()
    assert outcome(scenario, monkeypatch, look) == "deadline_exceeded"
    assert 0.04 < time.monotonic() - started < 4


@pytest.mark.parametrize("look", [0.0, 0.02, 5.0])
def test_a_limit_that_was_replaced_is_forgotten(monkeypatch: pytest.MonkeyPatch, look: float) -> None:
    async def scenario(_: Client, watched: Watch) -> str:
        watched.until(time.monotonic() + 0.05, slow)
        await asyncio.sleep(0.03)
        watched.until(time.monotonic() + 5, late)
        await asyncio.sleep(0.1)
        watched.until(time.monotonic() + 0.05, late)
        await asyncio.sleep(20)
        return "not ended"

    assert outcome(scenario, monkeypatch, look) == "deadline_exceeded"


def test_a_limit_in_the_past_ends_the_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(_: Client, watched: Watch) -> str:
        watched.until(time.monotonic() - 1, late)
        await asyncio.sleep(20)
        return "not ended"

    assert outcome(scenario, monkeypatch, 5) == "deadline_exceeded"


def test_the_client_is_listened_to_only_after_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Client, watched: Watch) -> str:
        watched.until(time.monotonic() + 20, slow)
        client.leaves.set()
        await asyncio.sleep(0.1)
        assert client.asked == 0
        watched.until(time.monotonic() + 20, late, listen=True)
        await asyncio.sleep(20)
        return "not ended"

    assert outcome(scenario, monkeypatch) == "client_closed_request"


def test_what_is_done_in_time_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Client, watched: Watch) -> str:
        watched.until(time.monotonic() + 0.04, late, listen=True)
        await asyncio.sleep(0.01)
        assert client.asked == 0
        return "done"

    assert outcome(scenario, monkeypatch) == "done"


def test_what_the_work_raises_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Client, watched: Watch) -> str:
        watched.until(time.monotonic() + 20, late, listen=True)
        await asyncio.sleep(0.05)
        assert client.asked == 1
        raise ServiceError("damaged_image", "no image")

    assert outcome(scenario, monkeypatch) == "damaged_image"


def test_another_cancellation_is_not_answered() -> None:
    async def main() -> None:
        async def work() -> None:
            with Watch(Client().receive) as watched:
                watched.until(time.monotonic() + 20, late, listen=True)
                await asyncio.sleep(20)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
