from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.model import TINY, write_tiny_model
from tests.builders.server import Server, running


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with the tiny generator."""
    folder = tmp_path_factory.mktemp("store")
    write_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def settings(store: Path) -> Settings:
    """Small limits, so that they are cheap to reach."""
    return Settings(
        model_store=store,
        model=TINY,
        device="cpu",
        threads=1,
        tile=64,
        max_body_bytes=2_000_000,
        max_upscale_pixels=400_000,
        max_decode_pixels=1_000_000,
    )


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[Server]:
    """The whole application with the tiny generator and a decoder without processes."""
    with running(create_app(settings, decoder=lambda _: InProcessDecoder())) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def server_port(server: Server) -> int:
    return server.port


@pytest.fixture
def slow_port(settings: Settings) -> Iterator[int]:
    """A server whose patience with uploads is short."""
    impatient = settings.model_copy(update={"upload_timeout_s": 0.2})
    with running(create_app(impatient, decoder=lambda _: InProcessDecoder())) as server:
        yield server.port
