"""The compose file's services under a project name of their own, and what one can do to them from outside."""

import json
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.builders.process import ROOT

_PATIENT = {
    "QRSR_DEADLINE_S": "120",
    "SERVER_TIMEOUT": "180s",
    "QRSR_SHUTDOWN_GRACE_S": "130",
    "STOP_GRACE": "150s",
}
"""What is tested is that nothing is lost, on whatever host this runs, and not how fast it is."""


def run(*command: str, check: bool = True, timeout: float = 600, **environment: str) -> str:
    """Run a command in the repository's root. Returns what it printed.

    Raises:
        AssertionError: its status was not 0; the message has its output.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    if check:
        assert done.returncode == 0, f"{shlex.join(command)}: status {done.returncode}\n{done.stdout}"
    return done.stdout


def docker(*arguments: str, check: bool = True) -> str:
    """`docker ...`"""
    return run("docker", *arguments, check=check).strip()


def has_image(name: str) -> bool:
    """Whether the engine has it already; nothing is pulled."""
    return bool(docker("images", "-q", name))


def until(true: Callable[[], object], what: str, *, patience: float = 120) -> None:
    """Wait until `true()`; an exception counts as not yet."""
    end = time.monotonic() + patience
    while True:
        try:
            if true():
                return
            told = ""
        except (httpx.HTTPError, AssertionError, OSError) as error:
            told = f": {error}"
        assert time.monotonic() < end, f"not within {patience:g} s: {what}{told}"
        time.sleep(0.25)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """One compose project. Its variables are kept in a file of its own, so that an operator's `.env` is untouched."""

    name: str
    env_file: Path
    profiles: tuple[str, ...] = ()
    files: tuple[str, ...] = ("docker-compose.yml",)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """Compose with everything that names this project."""
        profiles = [part for profile in self.profiles for part in ("--profile", profile)]
        files = [part for file in self.files for part in ("-f", file)]
        base = shlex.split(os.environ.get("COMPOSE", "docker compose"))
        return [*base, "-p", self.name, "--env-file", str(self.env_file), *files, *profiles]

    def compose(self, *arguments: str, check: bool = True) -> str:
        return run(*self.command, *arguments, check=check)

    def up(self, *services: str, replicas: int = 1) -> None:
        """Start the services and wait until the proxy has that many replicas."""
        self.compose("up", "-d", "--no-build", "--scale", f"qrsr={replicas}", *services)
        until(lambda: self.proxied() == replicas, f"{replicas} replicas behind the proxy\n{self.states()}")

    def client(self, *, tls: bool = False) -> httpx.Client:
        if tls:
            # The certificate is one that the proxy made for itself.
            url = f"https://127.0.0.1:{self.ports['TLS_PORT']}"
            return httpx.Client(base_url=url, verify=False, timeout=240)  # noqa: S501
        return httpx.Client(base_url=f"http://127.0.0.1:{self.ports['PORT']}", timeout=240)

    def replicas(self) -> list[str]:
        """Ids of the service's containers."""
        return self.compose("ps", "-q", "qrsr").split()

    def running(self) -> list[str]:
        """Those of them that run and are not paused."""
        return [
            one for one in self.replicas() if docker("inspect", "-f", "{{.State.Status}}", one) == "running"
        ]

    def proxied(self) -> int:
        """Replicas that the proxy finds ready."""
        return int(self.proxy_metric('haproxy_backend_active_servers{proxy="cpu"}'))

    def proxy_metric(self, series: str) -> float:
        text = self.in_proxy("/metrics")
        (line,) = [line for line in text.splitlines() if line.startswith(f"{series} ")]
        return float(line.rpartition(" ")[2])

    def in_proxy(self, path: str) -> str:
        """What the proxy's inner port answers, asked from a replica, which has Python and shares its network."""
        script = f"import urllib.request as u; print(u.urlopen('http://proxy:8404{path}', timeout=5).read().decode())"
        return docker("exec", self.running()[0], "python", "-c", script)

    def models(self) -> set[int]:
        """Versions that the replicas serve, each asked by itself."""
        script = (
            "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/readyz').read().decode())"
        )
        answers = [json.loads(docker("exec", one, "python", "-c", script)) for one in self.running()]
        return {answer["model"]["version"] for answer in answers}

    def states(self) -> str:
        return self.compose("ps", check=False)

    def variables(self) -> dict[str, str]:
        """The env file as it is."""
        lines = self.env_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line)


@contextmanager
def project(
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    profiles: tuple[str, ...] = (),
    files: tuple[str, ...] = ("docker-compose.yml",),
) -> Iterator[Stack]:
    """A stack that is not up yet, with free ports; taken down with its volumes after the block.

    Its containers' last lines are printed if the block fails.
    """
    names = ("PORT", "TLS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
    ports = {name: free_port() for name in names}
    given = {**ports, **_PATIENT, "TLS_ADDRESS": "127.0.0.1", "RATE_LIMIT": "1000000", **(variables or {})}
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    stack = Stack(f"qrsr-selftest-{os.getpid()}-{ports['PORT']}", env_file, profiles, files, ports)
    try:
        yield stack
    except BaseException:
        print(stack.states(), stack.compose("logs", "--tail", "30", check=False))
        raise
    finally:
        stack.compose("down", "--volumes", "--timeout", "5", check=False)
