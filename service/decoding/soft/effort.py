"""What one picture may cost: work that is counted, and a clock for safety.

A clock alone makes a reader read less on a busy machine, and not the same each time. Work is counted in nominal
milliseconds, about what each step takes on one core of a server of 2024, so that equal input gives equal output
wherever the clock does not run out first.
"""

import time


class Effort:
    """A budget that is spent step by step."""

    def __init__(self, work: float, deadline: float) -> None:
        """`work` in nominal milliseconds; `deadline`: reading of `time.monotonic` at which to stop in any case."""
        self._granted = self._work = work
        self._deadline = deadline
        self._spent = 0.0
        self._whole: Effort | None = None

    @property
    def exhausted(self) -> bool:
        """Whether no further step should begin."""
        return self._spent >= self._work or time.monotonic() >= self._deadline

    def allow(self, more: float) -> None:
        """Let so much be spent beyond what was granted first; of several allowances the largest counts."""
        self._work = max(self._work, self._granted + more)

    def spend(self, work: float) -> None:
        """Count a step, here and in the budget that this one is a part of."""
        self._spent += work
        if self._whole is not None:
            self._whole.spend(work)

    def part(self, share: float) -> "Effort":
        """A budget of that share of what is left, work and time."""
        now = time.monotonic()
        part = Effort(share * max(self._work - self._spent, 0.0), now + share * (self._deadline - now))
        part._whole = self
        return part
