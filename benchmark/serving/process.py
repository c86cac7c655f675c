"""The real service as a separate process, observed from outside."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmark.paths import ROOT


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    ready_after: float
    """Seconds from its start until `/readyz` answered 200."""

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    def children(self) -> list[int]:
        """Process ids of the decoder children."""
        return [pid for pid, parent in parents().items() if parent == self.process.pid]

    def resident_bytes(self) -> int:
        """RSS of the service and all its children; shared pages count for each."""
        return sum(_resident(pid) for pid in (self.process.pid, *self.children()))

    def resident_of_service(self) -> int:
        """RSS of the service's own process."""
        return _resident(self.process.pid)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def serving(log: Path, **environment: str) -> Iterator[ServiceProcess]:
    """Run `python -m service` until the block ends; `environment` has its settings.

    Raises:
        RuntimeError: it ended before it was ready.
    """
    with serving_program([sys.executable, "-m", "service"], log, **environment) as service:
        yield service


@contextmanager
def serving_program(command: list[str], log: Path, **environment: str) -> Iterator[ServiceProcess]:
    """The same with another program that uses the settings."""
    port = free_port()
    settings = {"QRSR_HOST": "127.0.0.1", "QRSR_PORT": str(port), **environment}
    started = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stderr=stream)
    try:
        while not _is_ready(port):
            if process.poll() is not None:
                raise RuntimeError(f"ended with status {process.returncode}:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield ServiceProcess(process, port, log, time.monotonic() - started)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def parents() -> dict[int, int]:
    """Parent of every process of this machine."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name in brackets may contain anything, so count from its end: state, then parent.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        found[int(folder.name)] = int(fields[1])
    return found


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it ended while we looked
        return 0
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0
