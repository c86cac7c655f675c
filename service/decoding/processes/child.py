"""Starts and ends a decoder process, and packs the requests to it."""

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

# Each reader uses one core; thread pools would only cost memory.
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
"""Prefixes of the environment variables that a decoder process inherits. It must not have API keys and the like."""


@dataclass(frozen=True, slots=True)
class Request:
    """A message with one job, ready to be sent."""

    number: int
    """The answer repeats it, so that answers cannot be mixed up."""
    parts: list[bytes | memoryview]
    result: Any
    """Type of the answer."""

    def answered(self, header: bytearray, blobs: bytearray) -> Any:
        """Decode the answer to this request.

        Raises:
            JobFailedError: the job raised.
            WireError: the message is not an answer to this request.
        """
        answer = messages.decode(header, blobs, messages.Answer)
        if answer.number != self.number:
            raise messages.WireError("an answer to another request")
        if not answer.succeeded:
            raise JobFailedError(messages.decode(answer.value, blobs, str))
        return messages.decode(answer.value, blobs, self.result)


_numbers = itertools.count()


class ChildProcess:
    """A child process that answers one request after another over `channel`; the first one is `setup`."""

    def __init__(
        self,
        factory: Callable[..., object],
        arguments: tuple[object, ...],
        *,
        memory_bytes: int = 0,
        confined: bool = False,
    ) -> None:
        """Start the process. It reads its setup first and builds its context with `factory(*arguments)`.

        Args:
            factory: a module's function or class.
            arguments: of the types in the factory's annotations; see `messages.encode`.
            memory_bytes: limit of the address space, 0 for none.
            confined: whether it loses access to the file system and TCP once its context is built.

        Raises:
            WireError: an argument that cannot be sent.
        """
        number = next(_numbers)
        # As `messages.Setup` has it.
        setup = (number, name_of(factory), arguments, memory_bytes, confined)
        self.setup = Request(number, messages.encode(setup), int)
        """The first message to send; its answer says that the context is built."""
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
        """Kill the process. Does not block."""
        self._process.kill()

    def reap(self) -> None:
        """Kill the process and wait for its end."""
        self.kill()
        self._process.wait()


def pack(job: Callable[..., object], arguments: tuple[object, ...], limit: float) -> Request:
    """A request to call `job(context, *arguments)`, for at most `limit` seconds.

    Raises:
        WireError: an argument that cannot be sent.
    """
    number = next(_numbers)
    # As `messages.Call` has it.
    call = (number, name_of(job), limit, arguments)
    return Request(number, messages.encode(call), messages.signature(job, given=1).result)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_INHERITED)}
