"""How many CPUs this process may really use, and how many requests it works on with them."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


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
