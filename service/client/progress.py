"""An optional progress bar. tqdm is imported only if it is shown."""

from collections.abc import Iterable, Sized
from types import TracebackType
from typing import Any, Self, TypeVar

from service.client.answers import Outcome

T = TypeVar("T")


class Bar:
    """Counts outcomes and failures."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown
        self._failed = 0

    @classmethod
    def of(cls, sources: Iterable[Any], *, shown: bool) -> Self:
        """A bar for `sources`, with a total if their number is known.

        Raises:
            ImportError: a bar is to be shown and tqdm is not installed.
        """
        if not shown:
            return cls(None)
        from tqdm import tqdm

        return cls(tqdm(total=len(sources) if isinstance(sources, Sized) else None, unit="image"))

    def advanced(self, outcome: Outcome[T]) -> Outcome[T]:
        """Count an outcome and return it."""
        if self._shown is not None:
            if outcome.error is not None:
                self._failed += 1
                self._shown.set_postfix(failed=self._failed)
            self._shown.update()
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.close()
