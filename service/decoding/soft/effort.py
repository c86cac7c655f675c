"""The budget of one picture: work that is counted, and a clock for safety.

With a clock alone, a reader would read less on a busy machine, and not the same in every run. Work is counted in
nominal milliseconds, which is about what each step takes on one core of a server of 2024. So equal input gives equal
output unless the clock runs out first.
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
        """Allow this much beyond the first budget; of several allowances the largest counts."""
        self._work = max(self._work, self._granted + more)

    def spend(self, work: float) -> None:
        """Count a step, here and in the budget of which this is a part."""
        self._spent += work
        if self._whole is not None:
            self._whole.spend(work)

    def part(self, share: float) -> "Effort":
        """A budget with this share of the work and time that are left."""
        now = time.monotonic()
        part = Effort(share * max(self._work - self._spent, 0.0), now + share * (self._deadline - now))
        part._whole = self
        return part
