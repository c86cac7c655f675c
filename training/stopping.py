"""The end of a run against a discriminator: the best pictures so far, and the number of validations since."""

from dataclasses import dataclass, field

from training.picture_quality import Quality


@dataclass
class BestSoFar:
    """Keeps the least perceptual distance among generators that read no less than the first of the run."""

    crops: int
    """Number of crops on which qualities are measured."""
    history: list[Quality] = field(default_factory=list)
    """In the order of the validations; the first is that of the initial generator."""

    def add(self, quality: Quality) -> bool:
        """Add the newest quality; returns whether it is the best so far."""
        self.history.append(quality)
        return self._best() == len(self.history) - 1

    def stale(self) -> int:
        """Validations since the best one."""
        return len(self.history) - 1 - self._best()

    def _best(self) -> int:
        first = self.history[0]
        allowed = [k for k, q in enumerate(self.history) if q.at_least_as_readable(first, self.crops)]
        return min(allowed, key=lambda k: self.history[k].perceptual)
