"""The service on Ray Serve: two nodes, a rollout under requests, a node that is killed, more requests than before."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray
from prometheus_client.parser import text_string_to_metric_families
from ray import serve

from service.ray.serve import Arguments, build
from tests.builders.images import encode, symbol
from tests.builders.model import TINY
from tests.builders.ray_cluster import cluster, free_ports

pytestmark = pytest.mark.processes


@dataclass(frozen=True, slots=True)
class Served:
    nodes: Any
    store: Path
    client: httpx.Client

    def deploy(self, version: int, **arguments: Any) -> None:
        """What `serve run` does, without waiting."""
        settings = {
            "model_store": str(self.store),
            "model": TINY,
            "model_version": version,
            "log_level": "warning",
            "max_body_bytes": 200_000,
        }
        made = build(Arguments(cpus=1, settings=settings, **arguments))
        serve.run(made, blocking=False, _local_testing_mode=False)

    def replicas(self) -> set[str]:
        """Ids of those that tell their metrics."""
        answer = self.client.get("/metrics")
        if answer.status_code != 200:  # whoever was asked has just been lost
            return set()
        return {labels["replica"] for labels, value in series(answer, "qrsr_ready") if value == 1.0}

    def node_of_each_replica(self) -> list[str]:
        actors = ray._private.state.actors().values()
        return [
            actor["Address"]["NodeID"]
            for actor in actors
            if actor["State"] == "ALIVE" and "ServeReplica:default:qrsr" in actor["ActorClassName"]
        ]


def series(answer: httpx.Response, name: str) -> list[tuple[dict[str, str], float]]:
    """Labels and values of one sample name."""
    families = text_string_to_metric_families(answer.text)
    return [
        (sample.labels, sample.value)
        for family in families
        for sample in family.samples
        if sample.name == name
    ]


def until(true: Callable[[], bool], what: str, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it took too long until {what}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def served(store: Path) -> Iterator[Served]:
    """Two replicas on two nodes, which have room for a third."""
    with cluster(0, 2, 2) as nodes:
        ray.init(address=nodes.address, log_to_driver=False)
        (port,) = free_ports(1)
        # Both nodes have one address here, and only one proxy can have the port.
        serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            served = Served(nodes, store, client)
            served.deploy(1, min_replicas=2, max_replicas=2)
            until(lambda: len(served.replicas()) == 2, "there were two replicas")
            yield served
            serve.shutdown()


@dataclass
class Load:
    """Requests from several clients until the block ends."""

    port: int
    texts: set[str] = field(default_factory=set)
    versions: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def running(self, clients: int) -> Iterator[None]:
        stop = threading.Event()
        threads = [threading.Thread(target=self._client, args=(index, stop)) for index in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(120)

    def _client(self, index: int, stop: threading.Event) -> None:
        number = 0
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120) as client:
            while not stop.is_set():
                number += 1
                text = f"CLIENT {index} {number}"
                path = "/v1/decode" if number % 2 else "/v1/upscale?decode=true"
                try:
                    answer = client.post(path, files={"file": ("a.png", encode(symbol(text)))})
                    found = answer.json()
                except (httpx.HTTPError, ValueError) as error:
                    self.wrong.append(f"{text}: {error!r}")
                    continue
                if answer.status_code != 200 or [entry["text"] for entry in found["symbols"]] != [text]:
                    self.wrong.append(f"{text}: {answer.status_code} {answer.text[:200]}")
                else:
                    self.versions.append(found["model"]["version"])


def load_on(served: Served) -> Load:
    assert served.client.base_url.port is not None
    return Load(served.client.base_url.port)


def test_two_nodes_answer_as_one_service_does(served: Served) -> None:
    client, files = served.client, {"file": ("a.png", encode(symbol("HELLO")))}
    assert len(set(served.node_of_each_replica())) == 2
    for _ in range(20):
        answer = client.post("/decode", files=files)
        assert [found["text"] for found in answer.json()["symbols"]] == ["HELLO"]
    large = client.post("/v1/upscale?format=webp", files=files)
    assert (large.status_code, large.headers["content-type"], large.content[8:12]) == (
        200,
        "image/webp",
        b"WEBP",
    )
    assert client.get("/livez").json() == {"alive": True}
    state = client.get("/readyz").json()
    assert (state["ready"], state["model"]["version"], state["decoder"]["children"]) == (True, 1, 1)
    refused = client.post("/decode", files={"file": ("a", b"no image")})
    assert (refused.status_code, refused.headers["content-type"]) == (415, "application/problem+json")
    assert refused.json()["code"] == "unsupported_image_format"
    too_large = client.post("/decode", files={"file": ("a", bytes(300_000))})
    assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
    counted = series(client.get("/metrics"), "qrsr_requests_total")
    decoded = {
        labels["replica"]: value
        for labels, value in counted
        if labels["route"] == "/decode" and labels["status"] == "200"
    }
    assert set(decoded) == served.replicas(), "one of them had nothing to do"
    assert sum(decoded.values()) == 20


def test_a_rollout_loses_no_request(served: Served) -> None:
    before = served.replicas()
    load = load_on(served)
    with load.running(clients=4):
        until(lambda: len(load.versions) > 20, "there were requests")
        served.deploy(2, min_replicas=2, max_replicas=2)
        until(lambda: len(served.replicas()) == 2 and not served.replicas() & before, "all were replaced")
        seen = len(load.versions)
        until(lambda: len(load.versions) > seen + 20, "there were requests afterwards")
    assert load.wrong == []
    assert set(load.versions[:10]) == {1}
    assert set(load.versions[-10:]) == {2}


def test_more_requests_bring_more_replicas(served: Served) -> None:
    load = load_on(served)
    served.deploy(2, min_replicas=2, max_replicas=3, target=1, upscale_delay_s=1)
    with load.running(clients=12):
        until(lambda: len(served.replicas()) == 3, "there was a third replica")
    assert load.wrong == []


def test_a_node_is_killed_and_its_replicas_come_up_elsewhere(served: Served) -> None:
    before = served.replicas()
    victim = sorted(served.nodes.worker_nodes, key=lambda node: node.node_id)[0]
    served.nodes.remove_node(victim, allow_graceful=False)

    def whole_again() -> bool:
        try:
            now = served.replicas()
        except httpx.HTTPError:
            return False
        return len(now) >= 2 and now != before

    until(whole_again, "there were enough replicas again")
    load = load_on(served)
    with load.running(clients=2):
        until(lambda: len(load.versions) + len(load.wrong) > 30, "there were requests")
    assert load.wrong == []
