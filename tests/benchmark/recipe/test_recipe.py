"""The figures of docs/paper.md: that they measure what they say, and that its tables are those of its results."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from benchmark.__main__ import main
from benchmark.comparison.upscalers import UpscalerSpec, build_upscaler
from benchmark.errors import BenchmarkError
from benchmark.paths import RESULTS, ROOT
from benchmark.recipe import ablation, curves, degradations, document, grid
from benchmark.recipe.ablation import BEFORE, VARIANTS, WHOLE, Row, Variant
from benchmark.recipe.fidelity import Fidelity, fidelity, niqe, unseen
from benchmark.recipe.interpolation import Point
from benchmark.recipe.reading import Reading
from scoring.generator import Enlarged
from tests.service.decoding.conftest import wechat_files  # noqa: F401 - a fixture: skips without WeChat's nets
from tests.training.test_game import tiny
from tests.training.test_interpolate import _saved
from training.config import TrainingConfig
from training.data.samples import Samples

WECHAT = ROOT / "model_store" / "wechat_qr" / "1"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Samples]:
    return unseen(2, tmp_path_factory.mktemp("cache"))


def _luma(samples: Samples, index: int) -> np.ndarray:
    return samples.target[index, 0].numpy()


@pytest.mark.slow
def test_the_truth_is_as_near_as_can_be(pictures: list[Samples]) -> None:
    answers = iter([_luma(samples, index) for samples in pictures for index in range(len(samples))])
    found = fidelity(lambda _lr: Enlarged(next(answers)), pictures)
    assert found.ssim == pytest.approx(1)
    assert found.module_error == 0
    assert found.psnr > 100


@pytest.mark.slow
def test_distances_are_those_of_their_formulas(pictures: list[Samples]) -> None:
    bicubic = build_upscaler(UpscalerSpec.kernel("bicubic"))
    found = fidelity(bicubic, pictures)
    expected = []
    for samples in pictures:
        for index in range(len(samples)):
            lr = np.rint(samples.lr[index, 0].numpy() * 255).astype(np.uint8)
            sr = cv2.resize(lr, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(float)
            expected.append(10 * np.log10(255**2 / np.mean((sr - _luma(samples, index)) ** 2)))
    assert found.psnr == pytest.approx(np.mean(expected), rel=1e-6)
    # Bicubic knows nothing of the light: in the dark and glaring scenes that training shows, mid-grey tells no modules
    # apart, so that about half of them are wrong.
    assert 0.01 < found.module_error < 0.5
    assert 0 < found.ssim < 1


@pytest.mark.slow
def test_niqe_prefers_a_scene_to_noise_and_a_blurred_symbol_to_a_sharp_one() -> None:
    rng = np.random.default_rng(0)
    scene = cv2.imread(
        str(ROOT / "service" / "server" / "static" / "samples" / "poster.jpg"), cv2.IMREAD_GRAYSCALE
    )
    white = np.clip(128 + 45 * rng.normal(size=(384, 384)), 0, 255).astype(np.uint8)
    assert scene is not None
    assert niqe(np.asarray(scene, np.uint8)) < niqe(white)
    modules = (np.kron(rng.integers(0, 2, (64, 64)), np.ones((6, 6))) * 255).astype(np.uint8)
    assert niqe(np.asarray(cv2.GaussianBlur(modules, (0, 0), 2), np.uint8)) < niqe(modules)


def _flat(config: TrainingConfig) -> dict[str, object]:
    def walk(value: object, name: str = "") -> dict[str, object]:
        if not isinstance(value, dict):
            return {name: value}
        return {
            k: v for key, part in value.items() for k, v in walk(part, f"{name}.{key}".strip(".")).items()
        }

    return walk(config.model_dump(mode="json"))


REMOVED = {
    "standard GAN": {"adversarial.kind"},
    "with perceptual loss, after activation": {"perceptual.before_activation"},
    "no binary pattern constraint": {"loss.binary_pattern"},
    "no average of weights": {"optimiser.ema_decay"},
    "first-order degradation": {"data.degradation.kind"},
    "targets not sharpened": {"data.sharpen_target"},
    "plain discriminator": {"discriminator.kind", "discriminator.spectral_norm", "discriminator.batch_norm"},
}


@pytest.mark.parametrize("name", REMOVED)
def test_a_variant_lacks_its_part_and_nothing_else(name: str) -> None:
    by_name = {variant.name: _flat(variant.config()) for variant in VARIANTS}
    whole, other = by_name[BEFORE if "perceptual" in name else WHOLE], by_name[name]
    assert {key for key in whole.keys() | other.keys() if whole.get(key) != other.get(key)} == REMOVED[name]


def test_batch_norm_is_compared_with_its_like() -> None:
    kept, removed = (
        _flat(next(variant for variant in VARIANTS if variant.name == name).config())
        for name in ("srresnet, batch norm kept", "srresnet, no batch norm")
    )
    assert {key for key in kept if kept[key] != removed[key]} == {"generator.batch_norm"}
    assert kept["generator.batch_norm"]


def _configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Variant:
    """A variant of a run that takes milliseconds."""
    config = _toml(tiny(folder, game=False, steps=5).model_dump(mode="json", exclude_none=True))
    (folder / "tiny.toml").write_text(config)
    monkeypatch.setattr(ablation, "CONFIGS", folder)
    return Variant("small", "tiny.toml", {"optimiser": {"ema_decay": 0.5}})


def _toml(data: dict[str, object], prefix: str = "") -> str:
    plain = "".join(
        f"{key} = {json.dumps(value)}\n" for key, value in data.items() if not isinstance(value, dict)
    )
    inner = "".join(
        f"[{prefix}{key}]\n{_toml(value, f'{prefix}{key}.')}"
        for key, value in data.items()
        if isinstance(value, dict)
    )
    return plain + inner


@pytest.mark.processes
@pytest.mark.timeout(300)  # Processes are started, and a graph is exported: long on a busy machine.
@pytest.mark.usefixtures("wechat_files")
def test_an_ablation_trains_measures_and_does_not_repeat_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ablation, "VARIANTS", (_configured(tmp_path, monkeypatch),))
    monkeypatch.setattr("benchmark.recipe.cli.CACHE", tmp_path / "cache")
    command = [
        "recipe",
        "ablation",
        "--short",
        "--runs",
        str(tmp_path / "runs"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*command, "--wechat", str(WECHAT)]) == 0
    served, row = json.loads((tmp_path / "out" / "ablation.json").read_text())["rows"]
    assert served["name"] == "served: qr_sr_x4/2"
    assert served["fidelity"]["module_error"] < row["fidelity"]["module_error"]
    assert row["name"] == "small"
    assert row["steps"] == 2
    assert "| small | 2 |" in capsys.readouterr().out
    last = tmp_path / "runs" / "small" / "last.pt"
    before = last.stat().st_mtime_ns
    assert main([*command, "--wechat", str(WECHAT)]) == 0
    assert last.stat().st_mtime_ns == before
    assert main([*command, "--only", "nothing"]) == 2
    assert "--only: there are small" in capsys.readouterr().err


@pytest.mark.processes
@pytest.mark.timeout(300)  # Processes are started, and a graph is exported: long on a busy machine.
@pytest.mark.usefixtures("wechat_files")
def test_a_sweep_measures_every_alpha_and_draws_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.recipe.cli.CACHE", tmp_path / "cache")
    psnr, gan = (str(_saved(tmp_path / f"{seed}.pt", seed)) for seed in (0, 1))
    command = ["recipe", "interpolation", "--short", "--psnr", psnr, "--gan", gan, "--alphas", "0", "0.5"]
    command += ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--wechat", str(WECHAT)]
    command += ["--pictures", str(tmp_path / "pictures")]
    assert main(command) == 0
    rows = json.loads((tmp_path / "out" / "interpolation.json").read_text())["rows"]
    assert [row["alpha"] for row in rows] == [0, 0.5]
    assert rows[0]["fidelity"] != rows[1]["fidelity"]
    assert (tmp_path / "pictures" / "interpolation.png").stat().st_size > 1000


def _log(folder: Path, names: tuple[str, ...]) -> Path:
    folder.mkdir()
    lines = [{"step": step} | dict.fromkeys(names, 1 / step) for step in range(1, 9)]
    (folder / "losses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_curves_come_from_the_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    psnr = _log(tmp_path / "psnr", ("l1",))
    gan = _log(tmp_path / "gan", ("l1", "perceptual", "adversarial", "d_loss", "d_hr", "d_sr"))
    out = tmp_path / "out"
    assert main(["recipe", "curves", "--psnr", str(psnr), "--gan", str(gan), "--pictures", str(out)]) == 0
    assert (out / "curves.png").stat().st_size > 1000
    assert [line["step"] for line in curves.read(gan)] == list(range(1, 9))
    assert main(["recipe", "curves", "--psnr", str(tmp_path), "--gan", str(gan), "--pictures", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_sheet_shows_every_degradation() -> None:
    shown = degradations.panels()
    titles = " ".join(title for title, _ in shown)
    for part in (
        "isotropic Gaussian", "anisotropic Gaussian", "generalised", "plateau", "sinc", "LR enlarged, area",
        "LR reduced, bilinear", "bicubic", "Gaussian noise, grey", "Poisson noise, colour", "JPEG 30", "jpeg_10",
        "first_order", "second_order", "camera", "USM",
    ):  # fmt: skip
        assert part in titles
    hr = shown[0][1]
    for title, picture in shown[2:]:
        shape = hr.shape[1:] if picture.shape[1:] == hr.shape[1:] else (hr.shape[1] // 4, hr.shape[2] // 4)
        assert picture.shape[1:] == shape, title


@pytest.mark.parametrize("shown", grid.ROWS, ids=lambda shown: f"{shown.family}-{shown.draw}")
def test_the_grids_truth_is_four_times_as_large_and_reads(shown: grid.Shown) -> None:
    lr, hr, payload = grid.pair(shown)
    assert np.abs(np.array(hr.shape) - 4 * np.array(lr.shape)).max() <= 8
    assert [barcode.bytes for barcode in zxingcpp.read_barcodes(hr)] == [payload]


ROWS = [Row("whole", 80, 61.4, Fidelity(17.123, 0.8127, 9.04, 0.0312), Reading(0.25, 0.5, 1))]
POINTS = [Point(0.2, Fidelity(17.123, 0.8127, 9.04, 0.0312), Reading(0.25, 1.0, 0))]


def test_tables_go_between_their_marks(tmp_path: Path) -> None:
    document.save(document.ABLATION, "python -m benchmark recipe ablation", ROWS, tmp_path)
    document.save(document.INTERPOLATION, "python -m benchmark recipe interpolation", POINTS, tmp_path)
    path = tmp_path / "paper.md"
    path.write_text(
        "Before.\n<!-- ablation:begin -->\nold\n<!-- ablation:end -->\n"
        "<!-- interpolation:begin -->\n<!-- interpolation:end -->\nAfter.\n"
    )
    for _ in range(2):
        document.update(path, tmp_path)
        text = path.read_text()
        assert text.count("| whole | 80 | 61 | .250 | .500 | 1 | .031 | 17.12 | .813 |") == 1
        assert text.count("| 0.2 | .250 | 1.000 | 0 | .031 | 17.12 | .813 | 9.0 |") == 1
        assert "old" not in text
        assert text.startswith("Before.\n")
        assert text.endswith("After.\n")
    (tmp_path / "bare.md").write_text("Nothing.\n")
    with pytest.raises(BenchmarkError, match="0 places for ablation"):
        document.update(tmp_path / "bare.md", tmp_path)


def test_the_documents_tables_are_those_of_its_results() -> None:
    text = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    results = sorted((RESULTS / "recipe").glob("*.json"))
    assert results
    for path in results:
        assert document.rendered(path.stem, path.parent) in text
