"""What this process may use of its machine: CPUs, their priority, and memory.

Imports nothing but the standard library, so that memory can be tuned before NumPy and OpenCV allocate any.
"""

import atexit
import ctypes
import gc
import math
import os
import threading
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")

LESS_URGENT = 10
"""Steps of niceness between those that compute and the event loop: Linux gives a tenth of the share for ten."""
_LEAST_URGENT = 19

# From <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 1024 * 1024
_ARENAS = 2
_ALLOCATIONS = 20_000
"""Net allocations between two garbage collections. Python's 700 are those of a few requests, whose objects are all
still in use; and requests leave hardly any cycles."""


def usable_cpus(cgroup: Path = _CGROUP) -> int:
    """CPUs by affinity mask and cgroup quota, whichever is less; at least 1.

    A quota of 1.5 CPUs counts as 2: the half is there to be used, and the scheduler shares it out.
    """
    affinity = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


def concurrency(cpus: int) -> int:
    """Requests worked on at the same time on so many CPUs. Twice as many as CPUs, so that decoder processes have a job
    in hand while they are at one, and some more: those at the event loop."""
    return 2 * cpus + 4


def _quota(cgroup: Path) -> float | None:
    """CPUs granted by cgroup v2 (`cpu.max`) or v1 (`cpu/cpu.cfs_*_us`); None without a limit."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if limit in ("max", "-1") or int(period) <= 0:
        return None
    return int(limit) / int(period)


def give_way() -> None:
    """Let the event loop go before the calling thread, which computes for long.

    Niceness makes the loop start at once where it has something to hand out or to answer, so that nobody waits for a
    few milliseconds' work of another's; what is left to compute is the same. Linux's batch scheduling is for the other
    direction: the loop hands out work in the middle of its own, and a thread that starts at once, on the same CPU,
    keeps it from handing out more.

    Elsewhere than on Linux, where niceness is a process's and not a thread's, and where it is not allowed, nothing
    changes.
    """
    if not hasattr(os, "sched_setscheduler"):
        return
    thread = threading.get_native_id()
    try:
        niceness = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness + LESS_URGENT, _LEAST_URGENT))
        os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))
    except OSError:
        # A container's seccomp profile may forbid it.
        return


def tune() -> None:
    """Bound the allocator's hoard in this process, and in the children it will start.

    glibc keeps an arena for each thread that ever allocated, and raises its bound for `mmap` to the size
    of whatever large block was freed last, after which images come from the heap and fragment it. Fixed
    bounds keep images in blocks of their own that go back to the system when they are freed. Does nothing
    under another C library.
    """
    os.environ.setdefault("MALLOC_ARENA_MAX", str(_ARENAS))
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(_LARGE))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(_LARGE))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)


def settle() -> None:
    """Take what there is now for permanent, and collect garbage less often from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
    # What is permanent is not collected at the end either, and zxing-cpp's bindings then write pages about leaks.
    atexit.register(gc.unfreeze)
