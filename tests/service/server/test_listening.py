"""A port that is taken is noticed before anything is loaded or installed, and a person is told where to click."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from service.server.listening import invitation, obstacle
from tests.builders.process import ROOT


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_is_no_obstacle() -> None:
    assert obstacle("127.0.0.1", 0) is None


def test_a_taken_port_and_a_foreign_address_are_obstacles(taken: int) -> None:
    assert f"port {taken}" in (obstacle("127.0.0.1", taken) or "")
    # TEST-NET-1 (RFC 5737): no machine has this address.
    assert "192.0.2.1" in (obstacle("192.0.2.1", 0) or "")
    assert "cannot listen on no.such.host.invalid" in (obstacle("no.such.host.invalid", 80) or "")


@pytest.mark.processes
@pytest.mark.parametrize(
    "command", [("-m", "service"), ("-m", "service", "serve"), ("service/server/listening.py", "127.0.0.1")]
)
def test_the_service_and_make_say_so_at_once(taken: int, command: tuple[str, ...]) -> None:
    script = command[0] != "-m"
    done = subprocess.run(
        [sys.executable, *command, *([str(taken)] if script else [])],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
        env=os.environ | {"QRSR_PORT": str(taken)},
    )  # fmt: skip
    assert done.returncode == (1 if script else 3)
    assert done.stderr.startswith(f"cannot listen on 127.0.0.1 port {taken}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://localhost:8000"),
        ("0.0.0.0", "http://localhost:8000"),  # noqa: S104 - a name, not listened on
        ("::1", "http://localhost:8000"),
        ("10.1.2.3", "http://10.1.2.3:8000"),
        ("fe80::1", "http://[fe80::1]:8000"),
    ],
)
def test_the_invitation_names_what_a_browser_opens(host: str, address: str) -> None:
    assert f"Open {address} " in invitation(host, 8000)
