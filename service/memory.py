"""Memory of a process that serves for weeks: glibc's allocator gives large blocks back, Python's collector looks at
requests alone, and not at each of them."""

import atexit
import ctypes
import gc
import os

# From <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 1024 * 1024
_ARENAS = 2
_ALLOCATIONS = 20_000
"""Net allocations between two garbage collections. Python's 700 are those of a few requests, whose objects are all
still in use; and requests leave hardly any cycles."""


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
