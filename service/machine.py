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
"""Steps of niceness between compute threads and the event loop. On Linux, ten steps leave a tenth of the CPU share."""
_LEAST_URGENT = 19

# From <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 1024 * 1024
_ARENAS = 2
_ALLOCATIONS = 20_000
"""Net allocations between two garbage collections. Python's default of 700 would start one every few requests, which
leave hardly any reference cycles."""


def usable_cpus(cgroup: Path = _CGROUP) -> int:
    """Number of CPUs that this process may use: the affinity mask or the cgroup quota, whichever is less; at least 1.

    A quota is rounded up: 1.5 CPUs count as 2.
    """
    affinity = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


def has_8_bit_instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies and adds 8-bit numbers in one instruction: VNNI on x86, the dot product on Arm."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = {
        word
        for line in lines
        if line.partition(":")[0].strip() in ("flags", "Features")
        for word in line.partition(":")[2].split()
    }
    return bool(flags & {"avx512_vnni", "avx_vnni", "asimddp"})


def concurrency(cpus: int) -> int:
    """Number of requests processed at the same time on this many CPUs.

    Two for each CPU, so that every decoder process has its next job queued, and a few more in the event loop.
    """
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
    """Lower the priority of the calling compute thread, so that the event loop runs first.

    With a higher niceness the thread is preempted when the event loop has something to do. With Linux's batch
    scheduling it does not preempt the event loop in turn when the loop wakes it.

    Does nothing on systems other than Linux, where niceness belongs to a process, and where it is not permitted.
    """
    if not hasattr(os, "sched_setscheduler"):
        return
    thread = threading.get_native_id()
    try:
        niceness = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness + LESS_URGENT, _LEAST_URGENT))
        os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))
    except OSError:
        # A container's seccomp profile may forbid the call.
        return


def tune() -> None:
    """Configure glibc's allocator in this process and in its future children, so that freed images leave memory.

    By default glibc keeps an arena for each thread, and raises its threshold for `mmap` to the size of the largest
    block that was freed; later images then come from the heap and fragment it. With fixed limits each image has a
    block of its own, which returns to the system when it is freed. Does nothing with another C library.
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
    """Exclude all present objects from garbage collection, and collect less often from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
    # Frozen objects are not freed at exit, and zxing-cpp's bindings would report them as leaks.
    atexit.register(gc.unfreeze)
