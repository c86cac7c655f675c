"""End a run with a checkpoint on SIGTERM or Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """Whether the process has been asked to end."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        """The signal that asked, or None."""


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Within the block, the first SIGTERM or Ctrl-C only sets `signal`; a second one ends the process as usual.

    Call it from the main thread, because only that may set handlers.
    """
    noted = Interruption()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        noted.signal = signal.Signals(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield noted
    finally:
        restore()


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Within the block, SIGTERM raises `SystemExit`, so that temporary files are removed.

    Call it from the main thread: only that may set handlers.
    """

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
