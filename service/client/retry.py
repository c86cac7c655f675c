"""When to try again, and after how long."""

import random
from dataclasses import dataclass

from service.client.errors import ClientError, ProblemError


@dataclass(frozen=True, slots=True)
class Retry:
    """Limits of the tries of a call. A request may be sent twice, since both routes only compute."""

    total_s: float = 30.0
    """Seconds for the whole call, all tries and pauses together."""
    tries: int = 5
    """Most tries; with 1 there is no second one."""
    base_s: float = 0.2
    """Upper bound of the first random pause; it doubles with each further one (full jitter)."""
    longest_s: float = 5.0
    """Limit of that bound."""

    def pause(self, error: ClientError, tried: int, remaining: float, rng: random.Random) -> float | None:
        """Seconds until the next try; None if there is none.

        The service's `Retry-After` is added to the random pause, so that clients that were refused together do not try
        again together.

        Args:
            tried: tries so far, 1 or more.
            remaining: seconds left of `total_s`.
        """
        if not error.retryable or tried >= self.tries:
            return None
        asked = error.retry_after if isinstance(error, ProblemError) else None
        pause = rng.uniform(0, min(self.longest_s, self.base_s * 2 ** (tried - 1))) + (asked or 0.0)
        return pause if pause < remaining else None
