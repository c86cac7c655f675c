"""A child process that readers run in: its start and its end, and what it is asked."""

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.decoding.processes import messages
from service.decoding.processes.errors import JobFailedError
from service.decoding.processes.worker import name_of

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


@dataclass(frozen=True, slots=True)
class Request:
    """One job for one process, ready to be sent."""

    number: int
    """The answer repeats it, so that no answer can be taken for another's."""
    parts: list[bytes | memoryview]
    result: Any
    """Type of the answer."""

    def answered(self, header: bytearray, blobs: bytearray) -> Any:
        """What a message that answers this says.

        Raises:
            JobFailedError: the job raised.
            WireError: it is no answer to this.
        """
        answer = messages.decode(header, blobs, messages.Answer)
        if answer.number != self.number:
            raise messages.WireError("the answer is another's")
        if not answer.succeeded:
            raise JobFailedError(messages.decode(answer.value, blobs, str))
        return messages.decode(answer.value, blobs, self.result)


_numbers = itertools.count()


class ChildProcess:
    """One child process, which answers one request after another over `channel`, the first being `setup`."""

    def __init__(
        self,
        factory: Callable[..., object],
        arguments: tuple[object, ...],
        *,
        memory_bytes: int = 0,
        confined: bool = False,
    ) -> None:
        """Start the process; it reads its setup first, and builds its context with `factory(*arguments)`.

        Args:
            factory: a module's function or class.
            arguments: of the types that the factory's annotations say; see `messages.encode`.
            memory_bytes: most address space, 0 for no bound.
            confined: whether it loses the file system and TCP once its context is built.

        Raises:
            WireError: an argument that cannot be sent.
        """
        number = next(_numbers)
        # As `messages.Setup` has it.
        setup = (number, name_of(factory), arguments, memory_bytes, confined)
        self.setup = Request(number, messages.encode(setup), int)
        """To be sent before anything else; the answer to it says that the context is built."""
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, no outside input
                [sys.executable, "-m", "service.decoding.processes.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_ENVIRONMENT, **_inherited(), "PYTHONPATH": path},
            )
        self.channel = ours
        """A stream socket."""

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def kill(self) -> None:
        """End the process at once, whatever it is doing. Does not block."""
        self._process.kill()

    def reap(self) -> None:
        """End the process and take its exit status."""
        self.kill()
        self._process.wait()


def pack(job: Callable[..., object], arguments: tuple[object, ...], limit: float) -> Request:
    """A request: call `job(context, *arguments)`, which should take at most `limit` seconds.

    Raises:
        WireError: an argument that cannot be sent.
    """
    number = next(_numbers)
    # As `messages.Call` has it.
    call = (number, name_of(job), limit, arguments)
    return Request(number, messages.encode(call), messages.signature(job, given=1).result)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_INHERITED)}
