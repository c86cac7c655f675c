"""Jobs for decoder processes that need no picture. The context of these processes is a list."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def context(mark: str = "") -> list[str]:
    return [mark]


def slow_context() -> list[str]:
    time.sleep(60)
    return []


def pid(_: list[str]) -> int:
    return os.getpid()


def first_mark(marks: list[str]) -> str:
    return marks[0]


def modules(_: list[str]) -> list[str]:
    return sorted(sys.modules)


def sleep(_: list[str], seconds: float, started: str = "") -> int:
    """Sleeps; the file `started` appears before, with the process id in it."""
    if started:
        temporary = Path(f"{started}.{os.getpid()}")
        temporary.write_text(str(os.getpid()))
        temporary.replace(started)
    time.sleep(seconds)
    return os.getpid()


def hang(_: list[str]) -> None:
    time.sleep(60)


def stop_for_good(_: list[str]) -> None:
    """Hang where not even a message is read."""
    os.kill(os.getpid(), signal.SIGSTOP)


def die(_: list[str]) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def die_once(_: list[str], flag: str) -> str:
    """End the process, but only the first that gets here."""
    if not Path(flag).exists():
        Path(flag).touch()
        os._exit(1)
    return "second"


def fail(_: list[str]) -> None:
    raise ValueError("a message that might quote a payload")


def fail_over(_: list[str], picture: NDArray[np.uint8]) -> None:
    raise ValueError(f"a secret about {picture}")


def echo(_: list[str], value: str) -> str:
    return value


def echo_array(_: list[str], array: NDArray[Any]) -> NDArray[Any]:
    return array


def say(_: list[str], answer: bytes) -> None:
    """Say this on the process's channel, instead of what it would say, and no more."""
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        channel.sendall(answer)
        time.sleep(60)


def allocate(_: list[str], size: int) -> int:
    return len(bytearray(size))


def encoded(_: list[str], text: str, encoding: str) -> bytes:
    """The codec is a module of its own, imported at its first use."""
    return text.encode(encoding)


def environment(_: list[str]) -> list[str]:
    """Variables that are the service's business alone."""
    return [name for name in os.environ if name.startswith("QRSR_")]


def can(_: list[str], readable: str, writable: str) -> dict[str, Any]:
    """What this process still can do."""
    read = write = False
    with contextlib.suppress(OSError):
        read = bool(Path(readable).read_text())
    with contextlib.suppress(OSError):
        write = bool(Path(writable).write_text("x"))
    libc = ctypes.CDLL(None)
    return {
        "read": read,
        "write": write,
        "landlock": libc.syscall(444, None, 0, 1) >= 1,
        "cores": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        # PR_GET_NO_NEW_PRIVS is 1 when none can be gained.
        "new_privileges": 1 - libc.prctl(39, 0, 0, 0, 0),
    }
