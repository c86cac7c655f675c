"""The parent's handle of one decoder process."""

import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.decoding import wire
from service.decoding.worker import BEGUN, name_of

# The readers work on one core each, and idle thread pools only cost memory.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
_INHERITED = (
    "LANG",
    "LC_",
    "LD_LIBRARY_PATH",
    "MALLOC_",
    "OMP_",
    "OPENBLAS_",
    "PYTHONDONTWRITEBYTECODE",
    "TZ",
)
"""Beginnings of the variables that a decoder process inherits. API keys and the like are not its business."""


class ProcessDiedError(Exception):
    """The decoder process ended before it answered."""

    def __init__(self, pid: int, *, began: bool) -> None:
        """`began`: whether it had begun the job, and so may have ended because of it."""
        super().__init__(f"decoder process {pid} ended")
        self.began = began


class JobFailedError(Exception):
    """The job raised; the message is the name of the exception's type."""


@dataclass(frozen=True, slots=True)
class Request:
    """One job for one process, ready to be sent."""

    number: int
    """The answer repeats it, so that no answer can be taken for another's."""
    parts: list[bytes | memoryview]


_numbers = itertools.count()


class DecoderProcess:
    """One child process that answers one job at a time. All may block but `kill`."""

    def __init__(
        self,
        factory: Callable[..., object],
        arguments: tuple[object, ...],
        *,
        memory_bytes: int = 0,
        confined: bool = False,
    ) -> None:
        """Start the process. `ready` waits until it has built its context with `factory(*arguments)`.

        Args:
            factory: a module's function or class.
            arguments: as `wire.encode` takes them.
            memory_bytes: most address space, 0 for no bound.
            confined: whether it loses the file system and TCP once its context is built.

        Raises:
            WireError: an argument that cannot be sent.
        """
        setup = {
            "number": (number := next(_numbers)),
            "factory": name_of(factory),
            "arguments": arguments,
            "memory_bytes": memory_bytes,
            "confined": confined,
        }
        self._setup: Request | None = Request(number, wire.encode(setup))
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, no outside input
                [sys.executable, "-m", "service.decoding.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_ENVIRONMENT, **_inherited(), "PYTHONPATH": path},
            )
        self._channel = ours
        self._busy = threading.Lock()
        self._lost = False
        self.tasks = 0
        """Jobs given to it so far."""
        self.retired = False
        """To be closed instead of used again."""

    def alive(self) -> bool:
        """Whether it can be given a job: it has neither ended nor been killed nor lost its channel."""
        return not self._lost and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ready(self) -> None:
        """Hand over the factory and wait for the context.

        Raises:
            ProcessDiedError: it could not be built; the reason is on the child's standard error.
        """
        if self._setup is not None:
            self._exchange(self._setup)
            self._setup = None

    def call(self, request: Request) -> Any:
        """Send a request made by `pack` and wait for its answer, however long it takes.

        Raises:
            ProcessDiedError: the process ended, by itself, by `kill` or by anybody else's hand.
            JobFailedError: the job raised.
        """
        self.tasks += 1
        return self._exchange(request)

    def kill(self) -> None:
        """End the process at once, whatever it is doing; a call under way raises ProcessDiedError."""
        self._lost = True
        self._process.kill()

    def close(self) -> None:
        """End the process, take its exit status, give the channel back once a call under way is over."""
        self.kill()
        self._process.wait()
        with self._busy:
            self._channel.close()

    def _exchange(self, request: Request) -> Any:
        began = False
        try:
            with self._busy:
                wire.send_parts(self._channel, request.parts)
                began = self._channel.recv(len(BEGUN)) == BEGUN
                number, succeeded, answer = wire.receive(self._channel)
            if number != request.number:
                raise ValueError("the answer is another's")
        except (EOFError, OSError, ValueError, TypeError) as error:
            # The last two: what it said makes no sense, so it is not to be asked again.
            self.kill()
            raise ProcessDiedError(self.pid, began=began) from error
        if not succeeded:
            raise JobFailedError(answer)
        return answer


def pack(job: Callable[..., object], arguments: tuple[object, ...], limit: float) -> Request:
    """A request: call `job(context, *arguments)`, which should take at most `limit` seconds.

    Raises:
        WireError: an argument that cannot be sent.
    """
    number = next(_numbers)
    message = {"number": number, "job": name_of(job), "arguments": arguments, "limit": limit}
    return Request(number, wire.encode(message))


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_INHERITED)}
