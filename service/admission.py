"""What bounds the work inside: places at the door, and what those inside may hold between them.

Pure `asyncio`; everything here belongs to one event loop.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.errors import ServiceError


class Gate:
    """The one door in front of all work. Who finds no place, or no room for what it brings, is refused at
    once."""

    def __init__(self, *, places: int, bytes_inside: int) -> None:
        """
        Args:
            places: requests that may be inside, those that wait included.
            bytes_inside: what the bodies of all of them may have together; one request alone always may.
        """
        self.places = places
        self._bytes_inside = bytes_inside
        self._bytes = 0
        self._taken = 0

    @property
    def taken(self) -> int:
        """Requests admitted and not yet answered."""
        return self._taken

    @contextmanager
    def place(self, size: int) -> Iterator[None]:
        """A place inside, before the body of `size` bytes is read.

        Raises:
            ServiceError: `overloaded`, at once, when every place is taken or the bodies inside are too large.
        """
        if self._taken >= self.places:
            raise ServiceError(
                "overloaded", "too many requests at the same time", retry_after=1, reason="places"
            )
        if self._taken and self._bytes + size > self._bytes_inside:
            raise ServiceError("overloaded", "too many bytes at the same time", retry_after=1, reason="bytes")
        self._taken += 1
        self._bytes += size
        try:
            yield
        finally:
            self._taken -= 1
            self._bytes -= size


@dataclass(slots=True)
class _Waiter:
    amount: int
    granted: asyncio.Future[None]


class Budget:
    """A quantity that requests hold for a while: first come, first served, except that one which asks for more
    than is left does not hold up those behind it that ask for less.

    What is large may so wait longer than its turn; its deadline bounds how long.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._waiting: list[_Waiter] = []

    @property
    def free(self) -> int:
        """What nobody holds."""
        return self._free

    @contextmanager
    def held_now(self, amount: int) -> Iterator[bool]:
        """Hold `amount` where nobody has to be waited for; the block is told whether it does."""
        amount = min(amount, self.total)
        held = self._taken_now(amount)
        try:
            yield held
        finally:
            if held:
                self.give(amount)

    def _taken_now(self, amount: int) -> bool:
        if amount > self._free or any(waiter.amount <= self._free for waiter in self._waiting):
            return False
        self._free -= amount
        return True

    async def take(self, amount: int) -> None:
        """Wait for `amount` and hold it until it is given back. More than there is in all counts as all of it."""
        amount = min(amount, self.total)
        if self._taken_now(amount):
            return
        waiter = _Waiter(amount, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled():
                # Granted and cancelled in the same turn of the loop.
                self.give(amount)
            else:
                self._waiting.remove(waiter)
            raise

    def give(self, amount: int) -> None:
        """Give back what was asked of `take`."""
        self._free += min(amount, self.total)
        passed, waiting = [], iter(self._waiting)
        for waiter in waiting:
            if waiter.amount <= self._free and not waiter.granted.done():
                self._free -= waiter.amount
                waiter.granted.set_result(None)
            else:
                passed.append(waiter)
            if not self._free:
                # Nobody asks for nothing, and the line may be long.
                break
        self._waiting = [*passed, *waiting]
