"""A process of the benchmark that accepts any job with any argument; the service's own processes do not.

These exchange only plain values, because they process images from strangers. Here both sides are ours, so messages are
pickled. Pickles are sent as arrays, which may be larger than bytes and are not copied into a header.
"""

import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.decoding.processes import messages
from service.decoding.processes.child import ChildProcess, Request, pack
from service.decoding.processes.errors import ProcessDiedError

R = TypeVar("R")


class PickledProcess:
    """One process with a context. All methods may block."""

    def __init__(self, factory: Callable[..., object], *arguments: object) -> None:
        """Start the process; its context is `factory(*arguments)`."""
        self._process = ChildProcess(_build, (_pickled((factory, arguments)),))
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
        request = pack(_run, (_pickled((job, arguments)),), limit)
        result: R = pickle.loads(self._exchange(request))  # noqa: S301 - from our own process
        return result

    def close(self) -> None:
        """End it."""
        self._process.reap()
        self._process.channel.close()

    def _exchange(self, request: Request) -> Any:
        try:
            messages.send_parts(self._process.channel, request.parts)
            return request.answered(*messages.receive(self._process.channel))
        except (EOFError, OSError) as error:
            raise ProcessDiedError(self._process.pid, began=True) from error


Pickle = NDArray[np.uint8]


def _pickled(value: object) -> Pickle:
    return np.frombuffer(pickle.dumps(value), np.uint8)


def _build(pickled: Pickle) -> object:
    factory, arguments = pickle.loads(pickled.data)  # noqa: S301 - from our own process
    return factory(*arguments)


def _run(context: Any, pickled: Pickle) -> Pickle:
    job, arguments = pickle.loads(pickled.data)  # noqa: S301 - from our own process
    return _pickled(job(context, *arguments))
