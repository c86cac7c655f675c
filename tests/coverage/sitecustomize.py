"""Measures coverage in every Python process that finds this folder on its path: `make coverage` puts it there.

Decoder processes get an environment without secrets, and so without coverage's variables, but they do get the path.
They also close the file system for themselves; while they are measured, one folder stays open, that of the results.
"""

import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import coverage

_ROOT = Path(__file__).resolve().parents[2]
_RESULTS = _ROOT / "build" / "coverage"
_EVERY_RIGHT = (1 << 13) - 1
"""All rights over files of the first version of Landlock, which later ones know too."""


def _measure() -> None:
    _RESULTS.mkdir(parents=True, exist_ok=True)
    os.environ["COVERAGE_FILE"] = str(_RESULTS / "data")
    os.environ["COVERAGE_PROCESS_START"] = str(_ROOT / "pyproject.toml")
    coverage.process_startup()


def _leave_results_open() -> None:
    from service.decoding.processes import sandbox

    plain = sandbox._allow

    def allow(syscall: Callable[..., int], ruleset: int, folder: Path) -> None:
        plain(syscall, ruleset, folder)
        handle = os.open(_RESULTS, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", _EVERY_RIGHT, handle)
            syscall(sandbox._LANDLOCK_ADD, ruleset, sandbox._LANDLOCK_PATH_BENEATH, rule, 0)
        finally:
            os.close(handle)

    sandbox._allow = allow


_measure()
if "service.decoding.processes.worker" in sys.orig_argv:
    _leave_results_open()
