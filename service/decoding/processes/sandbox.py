"""Restricts a decoder process, which runs native code on untrusted images, to computing.

On Linux only, and each measure only where the kernel supports it; elsewhere the functions do nothing.
"""

import contextlib
import ctypes
import os
import resource
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

# From <linux/prctl.h> and <linux/landlock.h>.
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION_FLAG, _LANDLOCK_PATH_BENEATH = 1, 1
_READ_FILE, _READ_FOLDER, _EXECUTE = 1 << 2, 1 << 3, 1 << 0
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
"""Number of file rights that each version of Landlock has; later versions have 16."""
_NETWORK_VERSION = 4
_NETWORK = 0b11
"""Binding to TCP ports and connecting to them."""

FILES = 64
"""Limit of open files: the channel, the standard streams, and what imports open for a moment."""


def limit(memory_bytes: int) -> None:
    """Limit memory and open files, disable core files (they would contain an image) and new privileges.

    Args:
        memory_bytes: limit of the address space, 0 for none. An allocation beyond it fails, and so does its job.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def confine() -> bool:
    """Remove access to TCP, and to all files but those in Python's own folders, which stay readable.

    Imports and codecs still work afterwards. `limit` must have been called before. Returns whether the kernel
    supports it.
    """
    if not sys.platform.startswith("linux"):
        return False
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    version = syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION_FLAG)
    if version < 1:
        return False
    files = (1 << _RIGHTS_BY_VERSION.get(version, 16)) - 1
    rules = struct.pack("=QQ", files, _NETWORK) if version >= _NETWORK_VERSION else struct.pack("=Q", files)
    ruleset = syscall(_LANDLOCK_CREATE, rules, len(rules), 0)
    if ruleset < 0:
        return False
    try:
        for folder in _python_folders():
            _allow(syscall, ruleset, folder)
        return bool(syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(syscall: Callable[..., int], ruleset: int, folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", _READ_FILE | _READ_FOLDER | _EXECUTE, handle)
            syscall(_LANDLOCK_ADD, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0)
        finally:
            os.close(handle)


def _python_folders() -> Iterable[Path]:
    places = {sys.prefix, sys.base_prefix, *sys.path, "/usr/lib", "/lib", "/lib64", "/usr/share/zoneinfo"}
    return (Path(place).resolve() for place in places if place and Path(place).is_dir())
