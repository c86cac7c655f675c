"""One server for the tests of its HTTP interface: the application in this process, or one that runs elsewhere.

With `QRSR_TEST_URL=http://host:port` the tests that need nothing but HTTP go there, and all others are left out. It
must serve the tiny model with the limits of `LIMITS`; `docker/selftest` starts such a one behind its proxy.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.server.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.model import TINY, write_tiny_model
from tests.builders.server import Server, running

LIMITS: dict[str, Any] = {
    "tile": 64,
    "max_body_bytes": 2_000_000,
    "max_upscale_pixels": 400_000,
    "max_decode_pixels": 1_000_000,
}
"""Small, so that they are cheap to reach."""

ELSEWHERE = os.environ.get("QRSR_TEST_URL")
_OVER_HTTP = {"client", "server_port"}
_INSIDE = {"server", "slow_port", "locked", "released", "monkeypatch"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if ELSEWHERE is None:
        return
    here = Path(__file__).parent
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        inside = item.get_closest_marker("inside") is not None or needed & _INSIDE
        over_http = needed & _OVER_HTTP and not inside and here in item.path.parents
        (kept if over_http else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with the tiny generator."""
    folder = tmp_path_factory.mktemp("store")
    write_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def settings(store: Path) -> Settings:
    return Settings(model_store=store, model=TINY, device="cpu", threads=1, **LIMITS)


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[Server]:
    """The whole application with the tiny generator and a decoder without processes."""
    with running(create_app(settings, decoder=lambda _: InProcessDecoder())) as server:
        yield server


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> httpx.URL:
    """Where the server is. Asks for the one in this process only where there is no other."""
    if ELSEWHERE is not None:
        return httpx.URL(ELSEWHERE)
    server: Server = request.getfixturevalue("server")
    return httpx.URL(f"http://127.0.0.1:{server.port}")


@pytest.fixture
def client(url: httpx.URL) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def server_port(url: httpx.URL) -> int:
    return url.port or 80


@pytest.fixture
def slow_port(settings: Settings) -> Iterator[int]:
    """A server whose patience with uploads is short."""
    impatient = settings.model_copy(update={"upload_timeout_s": 0.2})
    with running(create_app(impatient, decoder=lambda _: InProcessDecoder())) as server:
        yield server.port
