"""Replicas behind the proxy under load: scaled, killed, frozen, replaced by another model. No request may be lost."""

import json
import os
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from tests.builders.process import ROOT
from tests.deployment.load import Load
from tests.deployment.stack import Stack, docker, until

# Every child of the service's process, from within its container.
_KILL_CHILDREN = """
import os, pathlib, signal
for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
    pid, parent = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()[1]
    if parent == "1" and pid != os.getpid():
        os.kill(pid, signal.SIGKILL)
"""


def roll(stack: Stack, *pairs: str) -> subprocess.CompletedProcess[str]:
    """`docker/roll` for this project."""
    environment = {**os.environ, "COMPOSE": " ".join(stack.command), "ENV_FILE": str(stack.env_file)}
    # What the caller's shell has set would win over the file.
    for name in ("QRSR_MODEL", "QRSR_MODEL_VERSION"):
        environment.pop(name, None)
    return subprocess.run(
        [str(ROOT / "docker/roll"), *pairs], env=environment, capture_output=True, text=True, timeout=500
    )


def freeze(replica: str, signal: str) -> None:
    """Stop or continue the service's own process from outside; not `docker pause`, which some engines cannot do."""
    docker("kill", "--signal", signal, replica)


def assert_none_lost(load: Load, *, at_least: int) -> None:
    print(f"{load.total} requests: {dict(load.answered)}")
    assert load.lost == []
    assert load.total >= at_least
    assert set(load.answered) == {"clear", "hard", "upscale"}


def test_scaling_up_and_down_loses_nothing_and_uses_all(stack: Stack) -> None:
    with Load(stack) as load:
        stack.up("qrsr", replicas=3)
        time.sleep(10)
        name = 'haproxy_server_sessions_total{{proxy="cpu",server="qrsr{}"}}'
        served = [stack.proxy_metric(name.format(slot)) for slot in (1, 2, 3)]
        stack.up("qrsr", replicas=2)
        time.sleep(3)
    assert all(count > 5 for count in served), served
    assert_none_lost(load, at_least=30)


def test_a_killed_replica_costs_no_request(stack: Stack) -> None:
    stack.up("qrsr", replicas=3)
    with Load(stack) as load:
        for victim in stack.replicas()[:2]:
            before = load.total
            until(partial(load.beyond, before + 10), "the load is under way")
            docker("kill", victim)
            until(lambda: stack.proxied() == 2, "the proxy has noticed")
            time.sleep(3)
            # An operator's kill is not undone by the restart policy.
            docker("start", victim)
            until(lambda: stack.proxied() == 3, "the replica is back")
    assert_none_lost(load, at_least=30)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to signal processes of the engine")
def test_a_replica_that_dies_by_itself_is_started_again(stack: Stack) -> None:
    victim = stack.replicas()[0]
    pid = int(docker("inspect", "--format", "{{.State.Pid}}", victim))
    if not Path(f"/proc/{pid}").exists():
        pytest.skip("the engine runs on another machine")
    with Load(stack, clients=2) as load:
        time.sleep(2)
        os.kill(pid, 9)
        until(
            lambda: (
                docker("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", victim) == "1 running"
            ),
            "restarted",
        )
        until(lambda: stack.proxied() == len(stack.replicas()), "the replica is back")
    assert_none_lost(load, at_least=20)


def test_a_frozen_replica_gets_no_new_request(stack: Stack) -> None:
    stack.up("qrsr", replicas=3)
    victim = stack.replicas()[1]
    with Load(stack) as load:
        time.sleep(2)
        freeze(victim, "SIGSTOP")
        try:
            until(lambda: stack.proxied() == 2, "the proxy has noticed")
            noticed = load.total
            # As many clients as may wait for the frozen one, less one, are served by the others.
            until(lambda: load.total > noticed + 5, "the others go on")
        finally:
            freeze(victim, "SIGCONT")
        until(lambda: stack.proxied() == 3, "the replica is back")
    assert_none_lost(load, at_least=30)


def test_killed_readers_cost_no_request(stack: Stack) -> None:
    with Load(stack) as load:
        for replica in stack.replicas():
            time.sleep(2)
            docker("exec", replica, "python", "-c", _KILL_CHILDREN)
        time.sleep(3)
    assert_none_lost(load, at_least=20)


def test_another_model_is_rolled_out_and_back_under_load(stack: Stack) -> None:
    stack.up("qrsr", replicas=2)
    assert stack.models() == {2}
    with Load(stack, clients=3) as load:
        forward = roll(stack, "QRSR_MODEL_VERSION=1")
        assert forward.returncode == 0, forward.stderr
        assert stack.models() == {1}
        assert stack.variables()["QRSR_MODEL_VERSION"] == "1"
        assert stack.proxied() == 2
        back = roll(stack, "QRSR_MODEL_VERSION=2")
        assert back.returncode == 0, back.stderr
        assert stack.models() == {2}
    assert_none_lost(load, at_least=30)
    # What was rolled is what the compose file says now: another `up` replaces nothing.
    before = stack.replicas()
    stack.up("qrsr", replicas=2)
    assert sorted(stack.replicas()) == sorted(before)


def test_a_model_that_cannot_be_served_leaves_everything_as_it_was(stack: Stack) -> None:
    before, variables = sorted(stack.replicas()), stack.variables()
    with Load(stack, clients=2) as load:
        failed = roll(stack, "QRSR_MODEL_VERSION=99")
    assert failed.returncode == 1
    assert "the old ones continue" in failed.stderr
    assert sorted(stack.replicas()) == before
    assert stack.variables() == variables
    assert_none_lost(load, at_least=10)


def test_replicas_reach_nothing(stack: Stack) -> None:
    (proxy,) = stack.compose("ps", "-q", "proxy").split()
    addresses = {
        name.rpartition("_")[2]: network["IPAddress"]
        for name, network in json.loads(
            docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", proxy)
        ).items()
    }
    for replica in stack.replicas():
        # The proxy stands in both networks, and its port is open in both.
        assert _reaches(replica, addresses["inside"])
        assert not _reaches(replica, addresses["outside"])
        networks = docker(
            "inspect",
            "--format",
            "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
            replica,
        ).split()
        flags = [docker("network", "inspect", "--format", "{{.Internal}}", name) for name in networks]
        assert flags == ["true"]
        ports = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Ports}}", replica))
        assert not any(ports.values()), "a port is published"


def _reaches(replica: str, address: str) -> bool:
    script = f"import socket; socket.create_connection(('{address}', 8080), 3)"
    done = subprocess.run(["docker", "exec", replica, "python", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0 or "Error" in done.stderr, done.stderr
    return done.returncode == 0


def test_containers_are_as_confined_as_the_file_says(stack: Stack) -> None:
    for container in stack.compose("ps", "-q").split():
        host, config = (
            json.loads(docker("inspect", "--format", f"{{{{json .{part}}}}}", container))
            for part in ("HostConfig", "Config")
        )
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert not host["Privileged"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        assert config["User"].partition(":")[0] not in ("", "0", "root")


def test_nothing_was_ended_for_memory(stack: Stack) -> None:
    containers = stack.compose("ps", "-q").split()
    print(
        docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}} processes", *containers)
    )
    for container in containers:
        assert docker("inspect", "--format", "{{.State.OOMKilled}}", container) == "false"
