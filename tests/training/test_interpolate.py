"""Networks between two others: by the formula, from checkpoints and releases, exported with what they are made of."""

import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from model_store.manifest import load_generator
from service.settings import Settings
from tests.training.test_game import tiny
from training import checkpoint as checkpoints
from training.__main__ import main
from training.checkpoint import Checkpoint, CheckpointError
from training.export import generator_of
from training.interpolate import interpolate, source
from training.models.config import CompactConfig, SRResNetConfig
from training.models.factory import build_generator
from training.release.versions import release
from training.train import train

STORE = Path(__file__).parents[2] / "model_store"


def _saved(
    path: Path, seed: int, generator: CompactConfig | SRResNetConfig | None = None, **names: object
) -> Path:
    """A checkpoint of random weights."""
    torch.manual_seed(seed)
    generator = generator or CompactConfig(channels=4, body_channels=4, blocks=1)
    network = build_generator(generator)
    if isinstance(generator, SRResNetConfig):
        network(torch.rand(3, 1, 8, 8))  # Batch norm has counted something.
    weights = network.state_dict()
    config = tiny(path.parent, game=False).model_copy(update={"generator": generator}).model_dump(mode="json")
    Checkpoint(config, 3 + seed, 1.5, "abc", weights, weights, {"state": {}, "param_groups": []}).save(path)
    return path


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_weights_lie_between_by_the_formula(tmp_path: Path, alpha: float) -> None:
    psnr, gan = _saved(tmp_path / "psnr.pt", 0), _saved(tmp_path / "gan.pt", 1)
    out = tmp_path / "between.pt"
    command = [
        "interpolate",
        "--psnr",
        str(psnr),
        "--gan",
        str(gan),
        "--alpha",
        str(alpha),
        "--out",
        str(out),
    ]
    assert main(command) == 0
    found, first, second = (checkpoints.load(path) for path in (out, psnr, gan))
    for name, weight in found.ema.items():
        expected = (1 - alpha) * first.ema[name].numpy() + alpha * second.ema[name].numpy()
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5, atol=1e-7)
    assert found.step == second.step


def test_statistics_of_batch_norm_lie_between_and_counts_stay(tmp_path: Path) -> None:
    network = SRResNetConfig(kind="srresnet", channels=4, blocks=1, batch_norm=True)
    found = interpolate(_saved(tmp_path / "a.pt", 0, network), _saved(tmp_path / "b.pt", 1, network), 0.5)
    first, second = (checkpoints.load(tmp_path / name).ema for name in ("a.pt", "b.pt"))
    name = next(name for name in second if name.endswith("running_mean"))
    torch.testing.assert_close(found.ema[name], (first[name] + second[name]) / 2)
    assert all(int(value) == 1 for name, value in found.ema.items() if name.endswith("tracked"))


@pytest.mark.slow
def test_releases_can_be_mixed_and_the_result_released(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for seed, name in ((0, "psnr"), (1, "gan")):
        checkpoint = checkpoints.load(_saved(tmp_path / f"{name}.pt", seed))
        release(checkpoint, store, name, 1, symbols=0, crops=0, device="test")
    mixed = interpolate(store / "psnr" / "1", store / "gan" / "1", 0.25)
    assert mixed.notes == "Interpolated: 0.75 of psnr/1 and 0.25 of gan/1."
    folder = release(mixed, store, "mixed", 1, symbols=0, crops=0, device="test", notes="More.")
    manifest, model = load_generator(folder)
    assert manifest.notes == "Interpolated: 0.75 of psnr/1 and 0.25 of gan/1. More."
    assert manifest.training.steps == 4
    lr = torch.rand(1, 1, 16, 24)
    logits = onnxruntime.InferenceSession(str(model)).run(["logits"], {"lr": lr.numpy()})[0]
    by_hand = generator_of(source(store / "psnr" / "1"))
    weights = {
        name: 0.75 * w + 0.25 * source(store / "gan" / "1").ema[name]
        for name, w in by_hand.state_dict().items()
    }
    by_hand.load_state_dict(weights)
    np.testing.assert_allclose(logits, by_hand(lr).logits.detach().numpy(), atol=1e-4)


def test_what_cannot_be_mixed_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    psnr = _saved(tmp_path / "psnr.pt", 0)
    other = _saved(tmp_path / "other.pt", 1, CompactConfig(channels=8, body_channels=4, blocks=1))
    with pytest.raises(CheckpointError, match="different networks"):
        interpolate(psnr, other, 0.5)
    with pytest.raises(CheckpointError, match="nothing"):
        interpolate(psnr, tmp_path / "nothing", 0.5)
    arguments = ["interpolate", "--psnr", str(psnr), "--gan", str(psnr), "--out", str(tmp_path / "x.pt")]
    assert main([*arguments, "--alpha", "1.5"]) == 2
    error = capsys.readouterr().err
    assert "alpha must lie in [0, 1], not 1.5" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x.pt").exists()


@pytest.mark.processes
def test_a_mixed_network_is_started_from_and_not_resumed(tmp_path: Path) -> None:
    mixed = interpolate(_saved(tmp_path / "a.pt", 0), _saved(tmp_path / "b.pt", 1), 0.5)
    mixed.save(tmp_path / "mixed.pt")
    config = tiny(tmp_path, game=False, steps=1)
    with pytest.raises(CheckpointError, match=r"start from it with run\.initial"):
        train(config, tmp_path / "run", resume=tmp_path / "mixed.pt", cache=tmp_path)
    started = tiny(tmp_path, game=False, steps=1, run={"initial": tmp_path / "mixed.pt"},
                   optimiser={"learning_rate": 1e-12})  # fmt: skip
    found = checkpoints.load(train(started, tmp_path / "run", cache=tmp_path)).ema
    for name, weight in mixed.ema.items():
        torch.testing.assert_close(found[name], weight)


def test_the_released_one_lies_between_the_released_two() -> None:
    folder = STORE / "qr_sr_interpolated_x4" / "1"
    manifest, _ = load_generator(folder)
    found = re.fullmatch(
        r"Interpolated: ([\d.]+) of qr_sr_psnr_x4/1 and ([\d.]+) of qr_sr_gan_x4/1\..*", manifest.notes
    )
    assert found
    alpha = float(found[2])
    assert float(found[1]) == pytest.approx(1 - alpha)
    mixed, psnr, gan = (
        source(path).ema for path in (folder, STORE / "qr_sr_psnr_x4" / "1", STORE / "qr_sr_gan_x4" / "1")
    )
    assert not torch.equal(psnr["head.weight"], gan["head.weight"])
    for name, weight in mixed.items():
        torch.testing.assert_close(weight, (1 - alpha) * psnr[name] + alpha * gan[name])


def test_what_is_served_by_default_is_none_of_the_papers() -> None:
    assert Settings.model_fields["model"].default == "qr_sr_x4"
    names = {json.loads(path.read_text())["name"] for path in (STORE / "qr_sr_x4").glob("*/manifest.json")}
    assert names == {"qr_sr_x4"}
