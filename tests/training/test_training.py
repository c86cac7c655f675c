"""Configuration, network, loss, run, resumption, export."""

import math
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from model_store.manifest import GeneratorContract, ManifestError, ReadRate, load_generator
from tests.builders.tensors import gradient
from training import checkpoint as checkpoints
from training.__main__ import main
from training.config import ConfigError, OptimiserConfig, TrainingConfig, load, parse
from training.data.samples import Samples
from training.ema import WeightAverage
from training.errors import InterruptedRunError, TrainingError
from training.export import generator_of, parity, write_onnx
from training.initial import load_initial
from training.losses.module import weighted_cross_entropy
from training.models.compact import CompactGenerator
from training.models.config import CompactConfig
from training.players import Players, rate_factor
from training.release import versions
from training.release.versions import ReleaseError, release
from training.train import train

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


def _tiny(steps: int, **optimiser: object) -> TrainingConfig:
    return parse(
        {
            "generator": {"channels": 8, "body_channels": 8, "blocks": 1},
            "data": {"lr_size": 32, "chunk": 4, "pool": 2, "replay": 2, "workers": 0, "textures": 4,
                     "symbols": {"count": 12, "versions": [1, 3]}},
            "optimiser": {"steps": steps, "batch": 4, "warmup_steps": 2, "decay_share": 0,
                          "precision": "float32"} | optimiser,
            "run": {"device": "cpu", "log_every": 1, "validate_every": 1000, "image_every": 1000,
                    "checkpoint_every": 1, "validation_samples": 2},
        },
        "test",
    )  # fmt: skip


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path: Path) -> None:
    assert load(path).optimiser.steps > 0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[optimiser]\nstepz = 3\n", "optimiser.stepz"),
        ("[optimiser]\nsteps = -3\n", "optimiser.steps"),
        ("[data.scene]\nupright = 1.5\n", "data.scene.upright"),
        ("[data]\nchunk = 3\n[optimiser]\nbatch = 5\n", "multiple of optimiser.batch"),
        ("[data\n", "Expected"),
    ],
)
def test_a_wrong_configuration_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, key: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=key):
        load(path)
    assert main(["train", "--config", str(path), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert key in error
    assert error.count("\n") == 1


def test_generator_gives_four_times_the_size_and_sees_no_further_than_it_says() -> None:
    config = CompactConfig(channels=4, body_channels=8, blocks=2)
    generator = CompactGenerator(config).eval()
    lr = torch.rand(1, 1, 80, 96, requires_grad=True)
    logits = generator(lr).logits
    assert logits.shape == (1, 1, 320, 384)
    logits[0, 0, 160, 192].backward()
    rows, columns = torch.nonzero(gradient(lr)[0, 0], as_tuple=True)
    reach = max(abs(rows - 40).max(), abs(columns - 48).max())
    assert 8 < reach <= generator.receptive_radius


def test_loss_is_the_weighted_entropy() -> None:
    logits, target, weight = (
        torch.tensor([0.0, 2.0, -50.0]),
        torch.tensor([1.0, 0.0, 1.0]),
        torch.tensor([1.0, 3.0, 0.5]),
    )
    expected = (1 * math.log(2) + 3 * math.log(1 + math.exp(2)) + 0.5 * 50) / 4.5
    shape = (1, 1, 1, 3)
    loss = weighted_cross_entropy(logits.reshape(shape), target.reshape(shape), weight.reshape(shape))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_learning_rate_warms_up_stays_and_falls_to_zero() -> None:
    config = OptimiserConfig(steps=1000, warmup_steps=100, decay_share=0.5)
    assert rate_factor(config, 50) == pytest.approx(0.5)
    assert rate_factor(config, 300) == pytest.approx(1)
    assert rate_factor(config, 750) == pytest.approx(0.5)
    assert rate_factor(config, 1000) == pytest.approx(0, abs=1e-9)


def test_average_follows_the_weights() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average = WeightAverage(network, decay=0.9)
    torch.nn.init.ones_(network.weight)
    for _ in range(2):
        average.update(network, step=10_000)
    (weight,) = average.average.parameters()
    assert weight.item() == pytest.approx(1 - 0.9**2)


@pytest.mark.processes
def test_loss_falls(tmp_path: Path) -> None:
    config = _tiny(60, learning_rate=5e-3)
    train(config, tmp_path / "run", cache=tmp_path)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "run" / "events")).Reload()
    losses = [event.value for event in events.Scalars("train/g_loss")]
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


@pytest.mark.processes
def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = checkpoints.load(train(_tiny(9), tmp_path / "a", cache=tmp_path))
    half = train(_tiny(4), tmp_path / "b", cache=tmp_path)
    resumed = checkpoints.load(train(_tiny(9), tmp_path / "b", resume=half, cache=tmp_path))
    assert resumed.step == unbroken.step == 9
    for name, weight in unbroken.generator.items():
        assert torch.allclose(resumed.generator[name], weight, atol=1e-6), name
        assert torch.allclose(resumed.ema[name], unbroken.ema[name], atol=1e-6), name


@pytest.mark.processes
def test_a_resumed_run_keeps_the_notes_of_where_its_weights_come_from(tmp_path: Path) -> None:
    last = train(_tiny(1), tmp_path / "run", cache=tmp_path)
    state = checkpoints.load(last)
    state.notes = "From elsewhere."
    state.save(last)
    assert (
        checkpoints.load(train(_tiny(2), tmp_path / "run", resume=last, cache=tmp_path)).notes
        == "From elsewhere."
    )


@pytest.mark.processes
def test_resuming_with_another_network_is_refused(tmp_path: Path) -> None:
    last = train(_tiny(1), tmp_path / "a", cache=tmp_path)
    other = _tiny(2).model_copy(update={"generator": CompactConfig(channels=4, body_channels=8, blocks=1)})
    with pytest.raises(checkpoints.CheckpointError, match="another generator"):
        train(other, tmp_path / "b", resume=last, cache=tmp_path)
    (tmp_path / "text.pt").write_text("no checkpoint")
    with pytest.raises(checkpoints.CheckpointError, match=r"text\.pt"):
        checkpoints.load(tmp_path / "text.pt")


@pytest.mark.processes
def test_release_is_complete_verified_and_final(tmp_path: Path) -> None:
    checkpoint = checkpoints.load(train(_tiny(2), tmp_path / "run", cache=tmp_path))
    folder = release(checkpoint, tmp_path / "store", "qr_sr_x4", 1, symbols=0, crops=0, device="test")
    manifest, model = load_generator(folder)
    assert manifest.training.steps == 2
    assert manifest.training.config == checkpoint.config
    assert manifest.contract.receptive_radius == generator_of(checkpoint).receptive_radius
    assert parity(generator_of(checkpoint), model) < 1e-3
    with pytest.raises(ReleaseError, match="exists"):
        release(checkpoint, tmp_path / "store", "qr_sr_x4", 1, symbols=0, crops=0, device="test")
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(ManifestError, match="differs"):
        load_generator(folder)


@pytest.mark.processes
def test_a_deeper_generator_started_from_a_checkpoint_computes_the_same(tmp_path: Path) -> None:
    last = train(_tiny(2), tmp_path / "first", cache=tmp_path)
    shallow = generator_of(checkpoints.load(last))
    deep = CompactGenerator(CompactConfig(channels=8, body_channels=8, blocks=3))
    load_initial(deep, last)
    lr = torch.rand(2, 1, 24, 16)
    torch.testing.assert_close(deep(lr).logits, shallow(lr).logits)
    write_onnx(shallow, tmp_path / "model.onnx")
    from_graph = CompactGenerator(CompactConfig(channels=8, body_channels=8, blocks=2))
    load_initial(from_graph, tmp_path / "model.onnx")
    torch.testing.assert_close(from_graph(lr).logits, shallow(lr).logits)
    # The added blocks must be able to learn: their first layer is random, so the second one has gradients.
    deep(lr).logits.sum().backward()
    second = [weight for name, weight in deep.named_parameters() if name.endswith("second.weight")]
    assert len(second) == 3
    assert all(gradient(weight).abs().max() > 0 for weight in second)


@pytest.mark.processes
def test_initial_weights_of_another_generator_are_refused(tmp_path: Path) -> None:
    last = train(_tiny(1), tmp_path / "first", cache=tmp_path)
    wider = CompactGenerator(CompactConfig(channels=12, body_channels=8, blocks=1))
    with pytest.raises(checkpoints.CheckpointError, match=r"another generator \(.*\.weight|bias"):
        load_initial(wider, last)
    with pytest.raises(checkpoints.CheckpointError, match=r"nothing\.onnx"):
        load_initial(wider, tmp_path / "nothing.onnx")


@pytest.mark.processes
def test_a_folder_that_holds_a_run_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = train(_tiny(1), tmp_path / "run", cache=tmp_path)
    before = last.read_bytes()
    with pytest.raises(TrainingError, match="--resume"):
        train(_tiny(2), tmp_path / "run", cache=tmp_path)
    assert last.read_bytes() == before


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_with_a_checkpoint_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    config = _tiny(6, batch=4)
    config = config.model_copy(update={"run": config.run.model_copy(update={"checkpoint_every": 1000})})
    whole = checkpoints.load(train(config, tmp_path / "whole", cache=tmp_path))

    step = Players.step

    def interrupted(players: Players, samples: Samples, at: int) -> dict[str, float | torch.Tensor]:
        if at == 3:
            signal.raise_signal(number)
        return step(players, samples, at)

    with monkeypatch.context() as patch:
        patch.setattr(Players, "step", interrupted)
        with pytest.raises(InterruptedRunError, match="step 3"):
            train(config, tmp_path / "run", cache=tmp_path)
    last = tmp_path / "run" / "last.pt"
    assert checkpoints.load(last).step == 3
    resumed = checkpoints.load(train(config, tmp_path / "run", resume=last, cache=tmp_path))
    for name, weight in whole.generator.items():
        assert torch.allclose(resumed.generator[name], weight, atol=1e-6), name


@pytest.mark.processes
def test_an_export_that_is_ended_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = train(_tiny(1), tmp_path / "run", cache=tmp_path)
    monkeypatch.setattr(versions, "calibrate", lambda *_: signal.raise_signal(signal.SIGTERM))
    store = tmp_path / "store"
    with pytest.raises(SystemExit) as ended:
        main(["export", "--checkpoint", str(last), "--store", str(store), "--version", "1", "--crops", "0"])
    assert ended.value.code == 128 + signal.SIGTERM
    assert list((store / "qr_sr_x4").iterdir()) == []


@pytest.mark.processes
def test_an_export_into_a_store_of_its_own_takes_the_nets_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = train(_tiny(1), tmp_path / "run", cache=tmp_path)
    asked: list[Path] = []

    def rates(_model: Path, _contract: GeneratorContract, wechat: Path, _crops: int) -> tuple[ReadRate, ...]:
        asked.append(wechat)
        return ()

    monkeypatch.setattr(versions, "read_rates", rates)
    given = ["export", "--checkpoint", str(last), "--symbols", "0", "--store"]
    assert main([*given, str(tmp_path / "own"), "--version", "1"]) == 0
    assert main([*given, str(tmp_path / "own"), "--version", "2", "--wechat", str(tmp_path / "nets")]) == 0
    assert asked == [tmp_path / "own" / "wechat_qr" / "1", tmp_path / "nets"]


@pytest.mark.processes
def test_a_packed_checkpoint_is_half_as_large_and_goes_on(tmp_path: Path) -> None:
    last = train(_tiny(3), tmp_path / "run", cache=tmp_path)
    packed = tmp_path / "packed.pt"
    assert main(["pack", "--checkpoint", str(last), "--out", str(packed)]) == 0
    whole, small = checkpoints.load(last), checkpoints.load(packed)
    assert small.step == 3
    for name, weight in whole.generator.items():
        torch.testing.assert_close(small.generator[name].float(), weight, rtol=1e-3, atol=1e-4)
    moments = [
        value for state in small.optimiser["state"].values() for value in state.values() if value.dim()
    ]
    assert {moment.dtype for moment in moments} == {torch.bfloat16}
    resumed = checkpoints.load(train(_tiny(5), tmp_path / "on", resume=packed, cache=tmp_path))
    unbroken = checkpoints.load(train(_tiny(5), tmp_path / "unbroken", cache=tmp_path))
    assert resumed.step == 5
    assert all(weight.dtype == torch.float32 for weight in resumed.generator.values())
    for name, weight in unbroken.generator.items():
        torch.testing.assert_close(resumed.generator[name], weight, rtol=0.02, atol=2e-3)
