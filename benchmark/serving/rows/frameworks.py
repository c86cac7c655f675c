"""Throughput and tail against LitServe and BentoML around the same model and readers, in turns within one run.

Each is in the table three times: as its first page shows it, with the generator; the same with our draft first; and
tuned, with one worker for each CPU, one thread for each forward pass, and the draft. A server that is not being
measured is stopped, because some of them poll. Before that it may finish the requests that its clients have left.
"""

import asyncio
import itertools
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from benchmark.paths import ROOT
from benchmark.serving.load import corpus, wrk
from benchmark.serving.load.client import closed_loop
from benchmark.serving.process import free_port, parents
from benchmark.serving.results import neighbours, processor_seconds
from benchmark.serving.rows.throughput import raw
from service.machine import usable_cpus

ENVIRONMENT = ROOT / "build" / "load" / "peers"
OURS = "QR Super-Resolution"
CLIENTS = 64
_LONGEST_START_S = 120.0
_REST_S, _LONGEST_REST_S = 0.5, 30.0


class PeersMissingError(Exception):
    """The virtual environment of the peers is missing."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be stopped and continued with all its processes."""

    process: subprocess.Popen[bytes]
    port: int

    def pids(self) -> list[int]:
        """Process IDs of the server and all its descendants."""
        families, found = parents(), {self.process.pid}
        while more := {pid for pid, parent in families.items() if parent in found} - found:
            found |= more
        return sorted(found)

    def drain(self) -> None:
        """Wait until it is idle. Otherwise it would do work for clients that have left during its next turn.

        Some servers also do queued work of clients that have left. After `_LONGEST_REST_S` the wait ends.
        """
        end = time.monotonic() + _LONGEST_REST_S
        while time.monotonic() < end:
            before = processor_seconds(self.process.pid)
            time.sleep(_REST_S)
            if processor_seconds(self.process.pid) - before < 0.1 * _REST_S:
                return

    def signal(self, number: int) -> None:
        """Send a signal to all of them."""
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def commands() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Command and environment of every server; `PORT` in a command stands for its port."""
    python, cpus = ENVIRONMENT / "bin" / "python", str(usable_cpus())
    lit = [str(python), "-m", "benchmark.serving.peers.lit", "PORT"]
    bento = [str(ENVIRONMENT / "bin" / "bentoml"), "serve", "--host", "127.0.0.1", "--port", "PORT"]
    bento += ["benchmark.serving.peers.bento:Reader"]
    untracked = {"BENTOML_DO_NOT_TRACK": "True"}
    return {
        OURS: ([sys.executable, "-m", "service"], {}),
        "LitServe": ([*lit, "1", "0", "0"], {}),
        "BentoML": (bento, untracked),
        "LitServe, drafts": ([*lit, "1", "0", "1"], {}),
        "BentoML, drafts": (bento, {**untracked, "PEER_DRAFTS": "1"}),
        "LitServe, tuned": ([*lit, cpus, "1", "1"], {"OMP_NUM_THREADS": "1"}),
        "BentoML, tuned": (
            [*bento[:2], "--quiet", *bento[2:]],
            {
                **untracked,
                "PEER_WORKERS": cpus,
                "PEER_THREADS": "1",
                "PEER_DRAFTS": "1",
                "OMP_NUM_THREADS": "1",
            },
        ),
    }


@contextmanager
def started(command: list[str], environment: dict[str, str], log: Path) -> Iterator[Server]:
    """Run a server until the block ends; it may not answer yet."""
    port = free_port()
    command = [str(port) if part == "PORT" else part for part in command]
    settings = {"QRSR_PORT": str(port), **environment}
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, **settings},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    server = Server(process, port)
    try:
        yield server
    finally:
        pids = server.pids()
        server.signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pid in pids:
            # Child processes of a framework may outlive it.
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def answers(port: int) -> None:
    """Wait until the server reads every upload and enlarges correctly.

    Raises:
        TimeoutError: it does not.
    """
    calls = corpus.decode_calls("mix")[:16] + corpus.upscale_calls("crop")[:2]
    end = time.monotonic() + _LONGEST_START_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                pass
            tally = asyncio.run(closed_loop(port, iter(calls), clients=2))
            if not tally.wrong:
                return
            complaint = tally.wrong[0]
        except OSError as error:
            complaint = str(error)
        if time.monotonic() > end:
            raise TimeoutError(f"port {port}: {complaint}")
        time.sleep(0.5)


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """64 clients, three rounds of all servers in turn.

    Raises:
        PeersMissingError: `make bench-serve` makes the environment that is missing.
    """
    if not (ENVIRONMENT / "bin" / "bentoml").is_file():
        raise PeersMissingError(f"{ENVIRONMENT} is missing: make build/load/.peers")
    seconds, rounds = max(5 * scale, 2), 3
    work = {
        "upscale, crops": raw("upscale"),
        "decode, crops": raw("decode, crops"),
        "decode, mixed": raw("decode, mixed"),
    }
    loads: dict[tuple[str, str], list[wrk.Load]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = {
            name: stack.enter_context(started(command, environment, Path(folder) / f"{number}.log"))
            for number, (name, (command, environment)) in enumerate(commands().items())
        }
        for name, server in servers.items():
            answers(server.port)
            print(name, "answers", flush=True)
        for server in servers.values():
            server.signal(signal.SIGSTOP)
        with neighbours() as others:
            for _, workload, name in itertools.product(range(rounds), work, servers):
                server = servers[name]
                server.signal(signal.SIGCONT)
                load = wrk.drive(server.port, work[workload], clients=CLIENTS, seconds=seconds)
                server.drain()
                server.signal(signal.SIGSTOP)
                loads.setdefault((workload, name), []).append(load)
                print(workload, name, load, flush=True)
    rows = []
    for (workload, name), taken in loads.items():
        ours = loads[workload, OURS]
        rows.append(
            {
                "workload": workload,
                "server": name,
                "rate": statistics.median(load.rate for load in taken),
                "ours_to_this": statistics.median(
                    a.rate / b.rate if b.rate else inf for a, b in zip(ours, taken, strict=True)
                ),
                "p50": statistics.median(load.p50 for load in taken),
                "p99": statistics.median(load.p99 for load in taken),
                "broken": sum(load.refused + load.broken for load in taken),
            }
        )
    versions = {name: _version(name) for name in ("litserve", "bentoml")}
    return {
        "rows": rows,
        "versions": versions,
        "window_s": seconds,
        "rounds": rounds,
        "neighbours": others.share,
    }


def _version(package: str) -> str:
    (found,) = (ENVIRONMENT / "lib").glob(f"python*/site-packages/{package}-*.dist-info")
    return found.name.removeprefix(f"{package}-").removesuffix(".dist-info")
