"""Everything here starts Ray clusters: `make test-ray` runs it, and an ordinary run leaves it out."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.builders.model import write_tiny_model

if find_spec("ray") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with two versions of the tiny generator."""
    folder = tmp_path_factory.mktemp("store")
    write_tiny_model(folder)
    write_tiny_model(folder, version=2)
    return folder
