"""Tests of the images and the compose file on a real Docker engine. `docker/selftest` runs them; others skip them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment.stack import Stack, has_image, project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            # Containers start and drain; the engine and the host may be slow.
            item.add_marker(pytest.mark.timeout(600))
            if "QRSR_SELFTEST" not in os.environ:
                item.add_marker(pytest.mark.skip(reason="docker/selftest runs it"))


@pytest.fixture(scope="session")
def image() -> str:
    """The service's image for CPUs."""
    return os.environ.get("QRSR_IMAGE", "qr-super-resolution:cpu")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service behind its proxy, with Prometheus where its image is there."""
    prometheus = has_image(os.environ.get("PROMETHEUS_IMAGE", "prom/prometheus:v3.5.0"))
    grafana = has_image(os.environ.get("GRAFANA_IMAGE", "grafana/grafana:12.1.1"))
    services = [
        *("qrsr", "proxy"),
        *(["prometheus"] if prometheus else []),
        *(["grafana"] if grafana else []),
    ]
    profiles = ("observability",) if prometheus or grafana else ()
    with project(tmp_path_factory.mktemp("stack"), profiles=profiles) as stack:
        stack.up(*services, replicas=2)
        yield stack
