"""A Ray cluster of several nodes on this machine, each a set of processes of its own."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import ray
from ray.cluster_utils import Cluster

from tests.builders.process import ROOT

_STORE_BYTES = 80 * 2**20
"""Of each node's object store; the least that Ray allows is somewhat less."""
_TRIES = 4
"""A node waits 15 s for its agents, which is too short where everything else is at work too."""


@contextmanager
def cluster(*cpus: int) -> Iterator[Cluster]:
    """Nodes with so many CPUs each, the first of them the head. Environment variables of now are the nodes' too."""
    # What a node's workers import comes from this checkout.
    os.environ["PYTHONPATH"] = str(ROOT)
    made = Cluster()
    try:
        for count in cpus:
            add_node(made, cpus=count)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def add_node(made: Cluster, *, cpus: int) -> Any:
    """One more node."""
    for tried in range(_TRIES):
        names = (
            "metrics_agent_port",
            "metrics_export_port",
            "dashboard_agent_listen_port",
            "runtime_env_agent_port",
        )
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        try:
            return made.add_node(
                num_cpus=cpus, object_store_memory=_STORE_BYTES, include_dashboard=False, **ports
            )
        except Exception as error:  # Ray raises no other
            if "timed out during startup" not in str(error) or tried == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
