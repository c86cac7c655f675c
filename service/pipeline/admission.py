"""What bounds the work inside: places at the door, and what those inside may hold between them.

Pure `asyncio`; everything here belongs to one event loop.
"""

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from service.errors import ServiceError

MOST_ARRIVING = 1024
"""Bodies that may be on their way at the same time. Each is a connection and a task, besides what has arrived of it."""


class Gate:
    """The one door in front of all work. Who finds no place inside, or no room for what it brings, is refused at
    once.

    A body on its way holds room for what has arrived of it, and no place: clients that send slowly, or not at all, must
    not keep out those that send.
    """

    def __init__(self, *, places: int, bytes_inside: int, most_arriving: int = MOST_ARRIVING) -> None:
        """
        Args:
            places: requests that may be inside, those that wait included.
            bytes_inside: what all bodies may have together, those on their way included; one alone always may.
            most_arriving: bodies that may be on their way.
        """
        self.places, self.bytes_inside, self.most_arriving = places, bytes_inside, most_arriving
        self.arriving = 0
        """Requests whose body is on its way."""
        self.taken = 0
        """Requests admitted and not yet answered."""
        self.size = 0
        """Bytes of all bodies."""

    def entry(self, declared: int) -> "Entry":
        """For a request whose body has `declared` bytes, or at most so many."""
        return Entry(self, declared)


class Entry(AbstractContextManager["Entry"]):
    """One request's way through the gate, to be entered once; what it holds is given back at the block's end.

    All methods, and the block's beginning, raise `ServiceError`, `overloaded`, where there is no place or no room.
    """

    __slots__ = ("_declared", "_gate", "_inside", "_size")

    def __init__(self, gate: Gate, declared: int) -> None:
        self._gate, self._declared = gate, declared
        self._inside, self._size = False, 0

    def __enter__(self) -> Self:
        """Before the body is read: whether there is a place now, and room for all that is declared."""
        self._check_place()
        self._check_room(self._declared)
        if self._gate.arriving >= self._gate.most_arriving:
            raise _overloaded("uploads", "too many uploads at the same time")
        self._gate.arriving += 1
        return self

    def arrived(self, size: int) -> None:
        """So many bytes more of the body are here."""
        self._check_room(size)
        self._size += size
        self._gate.size += size

    def take_place(self) -> None:
        """The body is here; others may have taken the last place meanwhile."""
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

    def take_now(self, amount: int) -> bool:
        """Hold `amount` until it is given back, where nobody has to be waited for. Returns whether it is held."""
        amount = min(amount, self.total)
        if amount > self._free or any(waiter.amount <= self._free for waiter in self._waiting):
            return False
        self._free -= amount
        return True

    async def take(self, amount: int) -> None:
        """Wait for `amount` and hold it until it is given back. More than there is in all counts as all of it."""
        amount = min(amount, self.total)
        if self.take_now(amount):
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
        """Give back what was asked of `take` or `take_now`."""
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
