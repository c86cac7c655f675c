"""A process of the benchmark: any job with any argument, which the service's own processes do not take.

They exchange plain values only, because they look at strangers' images; here both sides are ours, and what is sent is
pickled.
"""

import pickle
from collections.abc import Callable
from typing import Any, TypeVar

from service.decoding import wire
from service.decoding.child import ChildProcess, ProcessDiedError, Request, pack

R = TypeVar("R")


class PickledProcess:
    """One process with a context. All methods may block."""

    def __init__(self, factory: Callable[..., object], *arguments: object) -> None:
        """Start it; its context is `factory(*arguments)`."""
        self._process = ChildProcess(_build, (pickle.dumps((factory, arguments)),))
        self._setup: Request | None = self._process.setup

    def ready(self) -> None:
        """Wait for the context.

        Raises:
            ProcessDiedError: it could not be built; the reason is on the child's standard error.
        """
        if self._setup is not None:
            self._exchange(self._setup)
            self._setup = None

    def call(self, job: Callable[..., R], *arguments: object, limit: float) -> R:
        """`job(context, *arguments)`; the process ends itself some seconds after `limit`.

        Raises:
            ProcessDiedError: the process ended.
            JobFailedError: the job raised.
        """
        request = pack(_run, (pickle.dumps((job, arguments)),), limit)
        result: R = pickle.loads(self._exchange(request))  # noqa: S301 - from our own process
        return result

    def close(self) -> None:
        """End it."""
        self._process.reap()
        self._process.channel.close()

    def _exchange(self, request: Request) -> Any:
        try:
            wire.send_parts(self._process.channel, request.parts)
            return request.answered(*wire.receive(self._process.channel))
        except (EOFError, OSError) as error:
            raise ProcessDiedError(self._process.pid, began=True) from error


def _build(pickled: bytes) -> object:
    factory, arguments = pickle.loads(pickled)  # noqa: S301 - from our own process
    return factory(*arguments)


def _run(context: Any, pickled: bytes) -> bytes:
    job, arguments = pickle.loads(pickled)  # noqa: S301 - from our own process
    return pickle.dumps(job(context, *arguments))
