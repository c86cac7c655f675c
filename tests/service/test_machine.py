"""Who goes first."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.machine import LESS_URGENT, give_way, has_8_bit_instructions

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's on Linux alone")


def in_a_thread(*work: Callable[[], None]) -> tuple[int, int]:
    """Niceness and policy of a new thread, after the work."""
    found: list[tuple[int, int]] = []

    def run() -> None:
        for step in work:
            step()
        mine = threading.get_native_id()
        found.append((os.getpriority(os.PRIO_PROCESS, mine), os.sched_getscheduler(mine)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_whoever_computes_gives_way_and_nobody_else() -> None:
    niceness, policy = in_a_thread()
    assert policy == os.SCHED_OTHER

    assert in_a_thread(give_way) == (min(niceness + LESS_URGENT, 19), os.SCHED_BATCH)

    assert in_a_thread() == (niceness, policy)
    main = threading.main_thread().native_id
    assert main is not None
    assert os.getpriority(os.PRIO_PROCESS, main) == niceness


def test_there_is_no_less_than_the_least() -> None:
    assert in_a_thread(give_way, give_way)[0] == 19


def test_a_system_that_forbids_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError

    before = in_a_thread()
    monkeypatch.setattr(os, "setpriority", forbidden)
    assert in_a_thread(give_way) == before


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512_vnni", True),
        ("flags\t\t: fpu avx_vnni", True),
        ("Features\t: fp asimd asimddp", True),
        ("flags\t\t: fpu avx2", False),
        ("model name\t: avx_vnni", False),
    ],
)
def test_8_bit_instructions_are_told_by_the_cpus_flags(tmp_path: Path, line: str, expected: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{line}\n")
    assert has_8_bit_instructions(cpuinfo) is expected
    assert has_8_bit_instructions(tmp_path / "none") is False
