"""Admission control: how many requests are inside, and the budgets that they share.

Only `asyncio`; all objects belong to one event loop.
"""

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from service.errors import ServiceError

MOST_ARRIVING = 1024
"""Most bodies that may be arriving at the same time. Each costs a connection and a task, besides the bytes received."""


class Gate:
    """Admits requests up to a number of places and of bytes; all others are refused at once.

    A body that is arriving holds its received bytes but no place, so that slow clients keep no others out.
    """

    def __init__(self, *, places: int, bytes_inside: int, most_arriving: int = MOST_ARRIVING) -> None:
        """
        Args:
            places: most admitted requests, those that wait included.
            bytes_inside: most bytes of all bodies together, those arriving included; a single body may have more.
            most_arriving: most bodies that may be arriving.
        """
        self.places, self.bytes_inside, self.most_arriving = places, bytes_inside, most_arriving
        self.arriving = 0
        """Requests whose body is arriving."""
        self.taken = 0
        """Requests that have been admitted and not yet answered."""
        self.size = 0
        """Bytes of all bodies together."""

    def entry(self, declared: int) -> "Entry":
        """An entry for a request whose body has at most `declared` bytes."""
        return Entry(self, declared)


class Entry(AbstractContextManager["Entry"]):
    """A request's place and bytes, held during the block; it can be entered once.

    All methods, and entering, raise `ServiceError`, `overloaded`, where there is no place or no room for the bytes.
    """

    __slots__ = ("_declared", "_gate", "_inside", "_size")

    def __init__(self, gate: Gate, declared: int) -> None:
        self._gate, self._declared = gate, declared
        self._inside, self._size = False, 0

    def __enter__(self) -> Self:
        """Check for a place, and for room for the declared bytes, before the body is read."""
        self._check_place()
        self._check_room(self._declared)
        if self._gate.arriving >= self._gate.most_arriving:
            raise _overloaded("uploads", "too many uploads at the same time")
        self._gate.arriving += 1
        return self

    def arrived(self, size: int) -> None:
        """Hold so many more bytes, which have been received."""
        self._check_room(size)
        self._size += size
        self._gate.size += size

    def take_place(self) -> None:
        """Take a place, now that the body is complete; others may have taken the last one meanwhile."""
        self._check_place()
        self._inside = True
        self._gate.arriving -= 1
        self._gate.taken += 1

    def __exit__(self, *_: object) -> None:
        if self._inside:
            self._gate.taken -= 1
        else:
            self._gate.arriving -= 1
        self._gate.size -= self._size

    def _check_place(self) -> None:
        if self._gate.taken >= self._gate.places:
            raise _overloaded("places", "too many requests at the same time")

    def _check_room(self, size: int) -> None:
        others = self._gate.size > self._size
        if others and self._gate.size + size > self._gate.bytes_inside:
            raise _overloaded("bytes", "too many bytes at the same time")


def _overloaded(reason: str, detail: str) -> ServiceError:
    return ServiceError("overloaded", detail, retry_after=1, reason=reason)


@dataclass(slots=True)
class _Waiter:
    amount: int
    granted: asyncio.Future[None]


class Budget:
    """A quantity that requests hold for a while, given out first come, first served.

    A request that asks for more than is free does not block later ones that ask for less. So large requests may wait
    longer; their deadlines limit that.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._waiting: list[_Waiter] = []

    @property
    def free(self) -> int:
        """The amount that is not held."""
        return self._free

    def take_now(self, amount: int) -> bool:
        """Hold `amount` until it is given back, if that is possible without waiting. Returns whether it is held."""
        amount = min(amount, self.total)
        if amount > self._free or any(waiter.amount <= self._free for waiter in self._waiting):
            return False
        self._free -= amount
        return True

    async def take(self, amount: int) -> None:
        """Wait for `amount` and hold it until it is given back. More than the total counts as the total."""
        amount = min(amount, self.total)
        if self.take_now(amount):
            return
        waiter = _Waiter(amount, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled():
                # It was granted and cancelled in the same iteration of the event loop.
                self.give(amount)
            else:
                self._waiting.remove(waiter)
            raise

    def give(self, amount: int) -> None:
        """Give back the amount passed to `take` or `take_now`."""
        self._free += min(amount, self.total)
        passed, waiting = [], iter(self._waiting)
        for waiter in waiting:
            if waiter.amount <= self._free and not waiter.granted.done():
                self._free -= waiter.amount
                waiter.granted.set_result(None)
            else:
                passed.append(waiter)
            if not self._free:
                # No request asks for 0, so the rest of the queue need not be visited.
                break
        self._waiting = [*passed, *waiting]
