"""When to try again, and after how long."""

import random
from dataclasses import dataclass

from service.client.errors import ClientError, ProblemError


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient a call is. Both routes only compute, so a request may be sent twice without harm."""

    total_s: float = 30.0
    """Seconds for the whole call, all tries and pauses together."""
    tries: int = 5
    """At most; 1 does not try again."""
    base_s: float = 0.2
    """The first pause is a random part of this; each further one of twice as much (full jitter)."""
    longest_s: float = 5.0
    """Bound of what is drawn from."""

    def pause(self, error: ClientError, tried: int, remaining: float, rng: random.Random) -> float | None:
        """Seconds until the next try, or None where there shall be none.

        Never less than the service's `Retry-After`; the random part is added to it, so that clients that were
        refused together do not come back together.

        Args:
            tried: tries so far, 1 or more.
            remaining: seconds left of `total_s`.
        """
        if not error.retryable or tried >= self.tries:
            return None
        asked = error.retry_after if isinstance(error, ProblemError) else None
        pause = rng.uniform(0, min(self.longest_s, self.base_s * 2 ** (tried - 1))) + (asked or 0.0)
        return pause if pause < remaining else None
