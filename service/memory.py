"""glibc's allocator, told to give large blocks back."""

import ctypes
import os

# From <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 1024 * 1024
_ARENAS = 2


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
