"""Progress of a bulk run on standard error: a bar, the first errors, and a summary."""

import sys
import time
from types import TracebackType
from typing import Self

import pyarrow as pa
from tqdm import tqdm

from service.bulk.tables import Summary, failures
from service.cli.terminal import plain

_SHOWN = 20
"""Number of errors that are shown; the result contains all."""
_LINE_EVERY_S = 60.0
"""Interval of the lines that replace the bar if standard error is not a terminal."""


class Progress:
    """Counts processed files, those of an earlier run included."""

    def __init__(self, total: int) -> None:
        terminal = sys.stderr.isatty()
        self._bar = tqdm(total=total, unit="file", file=sys.stderr, dynamic_ncols=True, disable=not terminal)
        self._terminal, self._total = terminal, total
        self._done = self._skipped = self._failed = 0
        self._began = self._line = time.monotonic()

    def skipped(self, count: int) -> None:
        """Count files of an earlier run, which do not affect the speed."""
        self._done += count
        self._skipped += count
        if self._terminal:
            self._bar.initial += count
        self._bar.update(count)

    def advanced(self, count: int) -> None:
        """Count processed files."""
        self._done += count
        self._bar.update(count)
        now = time.monotonic()
        if not self._terminal and now - self._line >= _LINE_EVERY_S:
            self._line = now
            rate = (self._done - self._skipped) / (now - self._began)
            print(
                f"{self._done} of {self._total} files, {rate:.1f} a second, {self._failed} errors",
                file=sys.stderr,
            )

    def errors(self, rows: pa.Table) -> None:
        """Show the files of a part that could not be used."""
        for failure in failures(rows):
            self._failed += 1
            if self._failed <= _SHOWN:
                self._say(f"{failure['file']}: {failure['detail']}")
            elif self._failed == _SHOWN + 1:
                self._say("... and more: all are in the result")
        if self._failed:
            self._bar.set_postfix(errors=self._failed, refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def _say(self, line: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            print(plain(line), file=sys.stderr)


def summarised(summary: Summary, result: str) -> str:
    """Summary of a result in one line."""
    counts = [f"{summary.files} files"]
    if summary.nothing:
        counts.append(f"{summary.nothing} with nothing to read")
    counts += [f"{count} {code}" for code, count in summary.errors.items()]
    return f"{result}: {', '.join(counts)}"
