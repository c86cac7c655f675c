"""Errors of a training run."""

from pathlib import Path
from signal import Signals


class TrainingError(Exception):
    """The run cannot start or continue; the message says why, and at which step."""


class InterruptedRunError(TrainingError):
    """A signal ended the run; its checkpoint has been written."""

    def __init__(self, checkpoint: Path, step: int, signal: Signals) -> None:
        super().__init__(f"ended by {signal.name} after step {step}: go on by --resume {checkpoint}")
        self.signal = signal
