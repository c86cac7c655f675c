"""Copies in other precisions: releases of their own, and what they do to the picture. They run on a CPU as well."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from model_store.manifest import ManifestError, load_generator
from service.generator.draft import copy_of
from tests.gpu.test_cuda import SAMPLES, luma

precision = pytest.importorskip("training.release.precision", reason="the training extra is not installed")


@pytest.mark.parametrize(
    ("kind", "share", "most", "most_flipped"), [("fp16", 0.6, 0.2, 1e-3), ("int8", 0.4, 16.0, 0.05)]
)
def test_a_copy_is_a_release_of_its_own_and_hardly_differs(
    released: Path, tmp_path: Path, kind: str, share: float, most: float, most_flipped: float
) -> None:
    # No calibration set worth the name, but the samples' own ranges.
    crops = np.concatenate([luma(path)[..., :56, :56] for path in SAMPLES])
    folder = precision.convert(released, tmp_path, kind, crops)
    manifest, model = load_generator(folder)
    original, source = load_generator(released)
    assert manifest.name == f"{original.name}_{kind}"
    assert manifest.contract == original.contract
    assert manifest.read_rates == ()
    assert model.stat().st_size < share * source.stat().st_size
    for path in SAMPLES:
        largest, flipped = precision.difference(released, folder, luma(path))
        assert 0 < largest < most
        assert flipped < most_flipped
    assert precision.difference(released, released, luma(SAMPLES[0])) == (0, 0)
    with pytest.raises(ManifestError, match="never changes"):
        precision.convert(released, tmp_path, kind, crops)


def test_without_a_store_the_copy_becomes_the_versions_draft(released: Path, tmp_path: Path) -> None:
    version = tmp_path / "qr_sr_x4" / released.name
    shutil.copytree(released, version, ignore=shutil.ignore_patterns("draft"))
    folder = precision.convert(version, None, "int8", luma(SAMPLES[0])[..., :56, :56])
    assert folder == copy_of(version)
    assert load_generator(folder)[0].copy_of == load_generator(version)[0].model.sha256
