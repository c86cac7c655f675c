"""Errors of a run that its caller may want to tell from others."""

from pathlib import Path
from signal import Signals


class TrainingError(Exception):
    """The run cannot start or go on; the message says why, and at which step."""


class InterruptedRunError(TrainingError):
    """Somebody ended the run; its checkpoint is written."""

    def __init__(self, checkpoint: Path, step: int, signal: Signals) -> None:
        super().__init__(f"ended by {signal.name} after step {step}: go on by --resume {checkpoint}")
        self.signal = signal
