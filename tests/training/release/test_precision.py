"""Copies in other precisions: releases of their own or drafts, and what they do to the picture."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_store.manifest import ManifestError, load_generator
from model_store.versions import version_folder
from service.generator.draft import copy_of
from tests.gpu.test_cuda import ROOT, SAMPLES, luma
from training.__main__ import main
from training.release import precision
from training.release.precision import Precision


@pytest.fixture(scope="module")
def released() -> Path:
    """Folder of the newest released generator."""
    return version_folder(ROOT / "model_store", "qr_sr_x4", 0)


@pytest.fixture(scope="module")
def crops() -> NDArray[np.float32]:
    """No calibration set worth the name, but the samples' own ranges."""
    return np.concatenate([luma(path)[..., :56, :56] for path in SAMPLES])


@pytest.fixture
def version(released: Path, tmp_path: Path) -> Path:
    """A copy of the released version that has no draft yet."""
    folder = tmp_path / "qr_sr_x4" / released.name
    return Path(shutil.copytree(released, folder, ignore=shutil.ignore_patterns("draft")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "share", "most", "most_flipped"), [("fp16", 0.6, 0.2, 1e-3), ("int8", 0.4, 16.0, 0.05)]
)
def test_a_copy_is_a_release_of_its_own_and_hardly_differs(
    released: Path,
    crops: NDArray[np.float32],
    tmp_path: Path,
    kind: Precision,
    share: float,
    most: float,
    most_flipped: float,
) -> None:
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


@pytest.mark.slow
def test_the_command_makes_a_versions_draft_once(
    version: Path,
    crops: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(precision, "training_crops", lambda _: crops)
    assert main(["precision", "int8", str(version)]) == 0
    draft = version / "draft"
    assert copy_of(version) == draft
    assert load_generator(draft)[0].copy_of == load_generator(version)[0].model.sha256
    # No read rates of the original are passed off as the copy's.
    assert load_generator(version)[0].read_rates
    assert not load_generator(draft)[0].read_rates
    assert f"{draft}: logits differ by " in capsys.readouterr().out
    before = (draft / "model.onnx").read_bytes()
    assert main(["precision", "int8", str(version)]) == 2
    assert "never changes" in capsys.readouterr().err
    assert (draft / "model.onnx").read_bytes() == before


def test_a_folder_that_holds_no_version_is_refused(
    tmp_path: Path,
    crops: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(precision, "training_crops", lambda _: crops)
    assert main(["precision", "int8", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.slow
def test_ranges_come_from_crops_of_every_kind_that_validation_draws(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text("[data]\nlr_size = 24\n[run]\nvalidation_samples = 2\n")
    found = precision.training_crops(config)
    # Three degradations at three sizes, two samples each.
    assert found.shape == (18, 1, 24, 24)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    # Samples differ from one another.
    assert len({crop.tobytes() for crop in found}) == 18
