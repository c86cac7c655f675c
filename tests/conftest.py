"""Fixtures that more than one room uses."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The private measuring material, where there is any."""
    folder = Path(os.environ.get("QRSR_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("no shared measuring material")
    return folder
