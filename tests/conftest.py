"""What all tests share: one thread a library, no process without a marker, and the private measuring material."""

import multiprocessing.process
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports NumPy or torch. Their threads spin while they wait, which made the tests cost several times
# the processor time and took the CPUs from one another's processes.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
"""Audit events of a process that starts. What `multiprocessing` starts has none."""
_unmarked: str | None = None
"""The test that is under way, where it must start no process."""


def _refuse_processes(event: str, _arguments: Any = ()) -> None:
    if event in _STARTS and _unmarked is not None:
        raise RuntimeError(f"{_unmarked} starts a process: it needs the marker `processes`")


_start = multiprocessing.process.BaseProcess.start


def _start_or_refuse(process: multiprocessing.process.BaseProcess) -> None:
    _refuse_processes("os.fork")
    _start(process)


sys.addaudithook(_refuse_processes)
multiprocessing.process.BaseProcess.start = _start_or_refuse  # type: ignore[method-assign, assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse processes in `make test-fast`, so that whoever forgets the marker hears of it there."""
    global _unmarked
    fast = "not processes" in item.config.getoption("markexpr")
    _unmarked = item.nodeid if fast and not item.get_closest_marker("processes") else None
    try:
        return (yield)
    finally:
        _unmarked = None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The private measuring material, where there is any."""
    folder = Path(os.environ.get("QRSR_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("no shared measuring material")
    return folder
