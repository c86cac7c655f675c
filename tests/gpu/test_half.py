"""The half-precision copy: its release, and what it does to the picture. The arithmetic runs on a CPU as well."""

from pathlib import Path

import numpy as np
import pytest

from model_store.manifest import ManifestError, load_generator
from tests.gpu.test_cuda import SAMPLES, luma


def test_the_copy_is_a_release_of_its_own_and_hardly_differs(released: Path, tmp_path: Path) -> None:
    half = pytest.importorskip("training.half", reason="the training extra is not installed")
    folder = half.halve(released, tmp_path)
    manifest, model = load_generator(folder)
    original, source = load_generator(released)
    assert manifest.name == original.name + "_fp16"
    assert manifest.contract == original.contract
    assert model.stat().st_size < 0.6 * source.stat().st_size
    for path in SAMPLES:
        largest, flipped = half.difference(released, folder, luma(path))
        assert 0 < largest < 0.5
        assert flipped < 1e-3
    assert half.difference(released, released, luma(SAMPLES[0])) == (0, 0)
    with pytest.raises(ManifestError, match="never changes"):
        half.halve(released, tmp_path)
    assert np.isfinite(half._logits(folder, luma(SAMPLES[0]))).all()
