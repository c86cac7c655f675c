"""Jobs for decoder processes that need no picture. The context of these processes is a list."""

import os
import signal
import sys
import time
from pathlib import Path


def context(*marks: str) -> list[str]:
    return list(marks)


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


def echo(_: list[str], value: object) -> object:
    return value
