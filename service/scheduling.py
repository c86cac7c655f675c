"""Who computes when there is more to do than there are CPUs."""

import os
import threading

LESS_URGENT = 10
"""Steps of niceness between those that compute and the event loop: Linux gives a tenth of the share for ten."""
_LEAST_URGENT = 19


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
