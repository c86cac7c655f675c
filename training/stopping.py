"""When a run against a discriminator is over: the best pictures so far, and how long nothing has been better."""

from dataclasses import dataclass, field

from training.picture_quality import Quality


@dataclass
class BestSoFar:
    """Keeps the least perceptual distance among generators that read no less than the run's first one."""

    crops: int
    """On which qualities are measured."""
    history: list[Quality] = field(default_factory=list)
    """In order of the validations; the first is that of the generator that the run started from."""

    def add(self, quality: Quality) -> bool:
        """Note the newest quality; returns whether it is the best so far."""
        self.history.append(quality)
        return self._best() == len(self.history) - 1

    def stale(self) -> int:
        """Validations since the best one."""
        return len(self.history) - 1 - self._best()

    def _best(self) -> int:
        first = self.history[0]
        allowed = [k for k, q in enumerate(self.history) if q.at_least_as_readable(first, self.crops)]
        return min(allowed, key=lambda k: self.history[k].perceptual)
