"""What engine threads need beside an engine."""


class Unwatched:
    """Nobody is told of batches."""

    def batch(self, size: int, seconds: float) -> None:
        del size, seconds
