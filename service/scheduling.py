"""Who computes when there is more to do than there are CPUs."""

import os
import threading


def give_way() -> None:
    """Let the calling thread wake without taking its CPU from another: for those that compute for long.

    The event loop hands out work in the middle of its own. A thread that starts at once, on the same CPU, keeps it from
    handing out more. Linux calls that batch scheduling; the thread's share of the CPU stays the same. Elsewhere, and
    where it is not allowed, nothing changes.
    """
    if hasattr(os, "sched_setscheduler"):
        try:
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_BATCH, os.sched_param(0))
        except OSError:
            # A container's seccomp profile may forbid it.
            return
