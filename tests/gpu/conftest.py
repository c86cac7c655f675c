"""Tests that need an NVIDIA GPU and the CUDA build of ONNX Runtime; skipped, with the reason, without them."""

from pathlib import Path

import pytest

from model_store.versions import version_folder
from service.generator.engine import CUDA, EngineError, OnnxEngine

STORE = Path(__file__).resolve().parents[2] / "model_store"


@pytest.fixture(scope="session")
def released() -> Path:
    """Folder of the newest released generator."""
    return version_folder(STORE, "qr_sr_x4", 0)


@pytest.fixture(scope="session")
def on_cuda(released: Path) -> OnnxEngine:
    """The released generator on the GPU."""
    import onnxruntime

    if CUDA not in onnxruntime.get_available_providers():
        pytest.skip("this build of ONNX Runtime has no CUDA")
    try:
        return OnnxEngine(released, device="cuda", threads=1, tile=384)
    except EngineError as error:
        pytest.skip(f"CUDA does not come up here: {error}")
