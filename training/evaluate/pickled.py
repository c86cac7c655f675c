"""A process of the benchmark: any job with any argument, which the service's own processes do not take.

They exchange plain values only, because they look at strangers' images; here both sides are ours, and what is sent is
pickled.
"""

import pickle
from collections.abc import Callable
from typing import Any, TypeVar

from service.decoding.process import DecoderProcess, pack

R = TypeVar("R")


class PickledProcess:
    """One process with a context; see `DecoderProcess` for what each method raises."""

    def __init__(self, factory: Callable[..., object], *arguments: object) -> None:
        """Start it; its context is `factory(*arguments)`."""
        self._process = DecoderProcess(_build, (pickle.dumps((factory, arguments)),))

    def ready(self) -> None:
        """Wait for the context."""
        self._process.ready()

    def call(self, job: Callable[..., R], *arguments: object, limit: float) -> R:
        """`job(context, *arguments)`; the process ends itself some seconds after `limit`."""
        request = pack(_run, (pickle.dumps((job, arguments)),), limit)
        result: R = pickle.loads(self._process.call(request))  # noqa: S301 - from our own process
        return result

    def close(self) -> None:
        """End it."""
        self._process.close()


def _build(pickled: bytes) -> object:
    factory, arguments = pickle.loads(pickled)  # noqa: S301 - from our own process
    return factory(*arguments)


def _run(context: Any, pickled: bytes) -> bytes:
    job, arguments = pickle.loads(pickled)  # noqa: S301 - from our own process
    return pickle.dumps(job(context, *arguments))
