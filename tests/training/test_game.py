"""Runs of both phases: resumed after a kill they go on as if nothing had happened; many processes learn as one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.builders.tensors import gradient
from tests.training.test_losses import vgg_weights
from training import checkpoint as checkpoints
from training.config import TrainingConfig, parse
from training.data.samples import Samples
from training.data.stream import batches
from training.devices import launch
from training.discriminator_view import view_channels, views
from training.errors import TrainingError
from training.export import generator_of
from training.players import Players
from training.release.versions import ReleaseError, release
from training.train import train

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
SECOND_PHASE = {
    "cross_entropy": 0.5, "l1": 1.0, "l2": 0.1, "perceptual": 0.1, "adversarial": 0.1, "binary_pattern": 0.5,
}  # fmt: skip


def tiny(folder: Path, *, game: bool, steps: int = 400, **sections: dict[str, object]) -> TrainingConfig:
    """A run whose step takes milliseconds; its VGG19 has one random layer, kept in `folder`."""
    weights = folder / "vgg.pth"
    if not weights.exists():
        torch.save(vgg_weights({0: (64, 3)}), weights)
    plain: dict[str, dict[str, object]] = {
        "generator": {"channels": 4, "body_channels": 4, "blocks": 1},
        "discriminator": {"kind": "unet", "channels": 4, "learning_rate": 1e-3},
        "data": {"lr_size": 16, "chunk": 4, "pool": 2, "replay": 2, "workers": 0, "textures": 2,
                 "symbols": {"count": 6, "versions": [1, 2]}},
        "loss": dict(SECOND_PHASE) if game else {},
        "perceptual": {"weights": str(weights), "layer": "conv1_1"},
        "binary_pattern": {"ramp_steps": 20},
        "optimiser": {"steps": steps, "batch": 4, "warmup_steps": 2, "decay_share": 0, "precision": "float32"},
        "run": {"device": "cpu", "log_every": 1, "validate_every": 10_000, "image_every": 10_000,
                "checkpoint_every": 7, "validation_samples": 1},
    }  # fmt: skip
    for name, section in sections.items():
        # Another kind of network has other keys.
        plain[name] = dict(section) if "kind" in section else plain.get(name, {}) | section
    return parse(dict(plain), "test")


def losses(out: Path) -> dict[int, dict[str, float]]:
    """The log of a run by step."""
    lines = (out / "losses.jsonl").read_text().splitlines()
    return {line["step"]: line for line in map(json.loads, lines)}


_KILLED = """
import sys
from pathlib import Path
from tests.training.test_game import tiny
from training.train import train

folder = Path(sys.argv[1])
train(tiny(folder, game=sys.argv[2] == "game", steps=100_000), folder / "killed", cache=folder)
"""


@pytest.mark.processes
@pytest.mark.parametrize("phase", ["psnr", "game"])
def test_a_killed_run_goes_on_as_an_unbroken_one(tmp_path: Path, phase: str) -> None:
    game = phase == "game"
    train(tiny(tmp_path, game=game, steps=90), tmp_path / "unbroken", cache=tmp_path)
    unbroken = losses(tmp_path / "unbroken")

    script = tmp_path / "run.py"
    script.write_text(_KILLED)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = subprocess.Popen([sys.executable, str(script), str(tmp_path), phase], env=environment)
    log = tmp_path / "killed" / "losses.jsonl"
    enough = random.randint(9, 30)  # Not seeded: any step will do.
    until = time.monotonic() + 100
    while time.monotonic() < until and run.poll() is None:
        if log.is_file() and log.read_text().count("\n") >= enough:
            break
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()

    last = tmp_path / "killed" / "last.pt"
    start = checkpoints.load(last).step
    assert start % 7 == 0
    train(tiny(tmp_path, game=game, steps=start + 50), tmp_path / "killed", resume=last, cache=tmp_path)
    resumed = losses(tmp_path / "killed")
    assert sorted(resumed) == list(range(1, start + 51))
    compared = ["g_loss", "gradient_norm", "cross_entropy"]
    compared += ["d_loss", "d_hr", "d_sr", "adversarial", "perceptual", "binary_pattern"] if game else []
    for step in range(1, min(start + 50, 90) + 1):
        for name in compared:
            assert resumed[step][name] == pytest.approx(unbroken[step][name], rel=1e-4, abs=1e-6), (
                step,
                name,
            )


@pytest.mark.processes
def test_the_second_phase_starts_from_the_first(tmp_path: Path) -> None:
    first = train(tiny(tmp_path, game=False, steps=3), tmp_path / "psnr", cache=tmp_path)
    with pytest.raises(checkpoints.CheckpointError, match="has no discriminator"):
        train(tiny(tmp_path, game=True), tmp_path / "x", resume=first, cache=tmp_path)
    config = tiny(tmp_path, game=True, steps=1, run={"initial": first}, optimiser={"learning_rate": 1e-12})
    second = checkpoints.load(train(config, tmp_path / "gan", cache=tmp_path))
    for name, weight in checkpoints.load(first).ema.items():
        torch.testing.assert_close(second.ema[name], weight)
    assert second.discriminator is not None
    other = tiny(tmp_path, game=True, discriminator={"channels": 8})
    with pytest.raises(checkpoints.CheckpointError, match="another discriminator"):
        train(other, tmp_path / "gan", resume=tmp_path / "gan" / "last.pt", cache=tmp_path)


@pytest.mark.processes
def test_the_discriminator_learns_to_tell(tmp_path: Path) -> None:
    config = tiny(tmp_path, game=True, steps=40, loss={"perceptual": 0, "binary_pattern": 0, "l2": 0})
    train(config, tmp_path / "run", cache=tmp_path)
    log = losses(tmp_path / "run")
    assert set(log[1]) == {
        "step", "seconds", "g_loss", "gradient_norm", "cross_entropy", "l1", "adversarial", "d_loss",
        "d_gradient_norm", "d_hr", "d_sr", "learning_rate", "seconds_waiting_for_data",
    }  # fmt: skip
    last = [log[step] for step in range(31, 41)]
    assert sum(line["d_hr"] - line["d_sr"] for line in last) > 0
    assert sum(line["d_loss"] for line in last) < 10 * log[1]["d_loss"]


@pytest.mark.processes
def test_the_loss_is_the_weighted_sum_of_its_parts(tmp_path: Path) -> None:
    train(tiny(tmp_path, game=True, steps=12), tmp_path / "run", cache=tmp_path)
    for step, line in losses(tmp_path / "run").items():
        weights = SECOND_PHASE | {"binary_pattern": 0.5 * min(1, step / 20)}
        expected = sum(weight * line[name] for name, weight in weights.items())
        assert line["g_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.processes
@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_the_average_can_be_switched_off(tmp_path: Path, decay: float) -> None:
    config = tiny(tmp_path, game=False, steps=12, optimiser={"ema_decay": decay, "learning_rate": 1e-2})
    state = checkpoints.load(train(config, tmp_path / "run", cache=tmp_path))
    equal = all(torch.equal(state.ema[name], weight) for name, weight in state.generator.items())
    assert equal == (decay == 0)


@pytest.mark.processes
@pytest.mark.parametrize("generator", [
    {"kind": "srresnet", "channels": 4, "blocks": 1, "batch_norm": True},
    {"kind": "rrdb", "channels": 4, "growth": 4, "blocks": 1},
])  # fmt: skip
def test_other_kinds_train_and_their_averages_count_batches(
    tmp_path: Path, generator: dict[str, object]
) -> None:
    config = tiny(tmp_path, game=False, steps=2)
    config = parse(config.model_dump(mode="json") | {"generator": generator}, "test")
    state = checkpoints.load(train(config, tmp_path / "run", cache=tmp_path))
    counts = [int(value) for name, value in state.ema.items() if name.endswith("num_batches_tracked")]
    assert counts == ([2] * 3 if generator["kind"] == "srresnet" else [])


@pytest.mark.processes
@pytest.mark.parametrize("discriminator", ["unet", "vgg"])
def test_colour_is_trained_by_every_part_and_not_released(tmp_path: Path, discriminator: str) -> None:
    config = tiny(
        tmp_path, game=True, steps=2,
        generator={"in_channels": 3}, data={"channels": 3, "degradation": {"kind": "second_order"}},
        discriminator={"kind": discriminator, "channels": 4, "learning_rate": 1e-3},
    )  # fmt: skip
    state = checkpoints.load(train(config, tmp_path / "run", cache=tmp_path))
    assert generator_of(state)(torch.rand(1, 3, 8, 12)).sr.shape == (1, 3, 32, 48)
    with pytest.raises(ReleaseError, match=r"generator\.in_channels is 3"):
        release(state, tmp_path / "store", "colour", 1, symbols=0, crops=0, device="test")


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    config = tiny(tmp_path, game=True)
    players = Players(config, launch(config), tmp_path)
    samples = next(batches(config, 0, torch.device("cpu"), tmp_path))
    samples.lr[0, 0, 3, 3] = torch.nan
    before = {name: weight.clone() for name, weight in players.generator.network.state_dict().items()}
    with pytest.raises(TrainingError, match="step 9: generator: loss nan"):
        players.step(samples, 9)
    for name, weight in players.generator.network.state_dict().items():
        assert torch.equal(weight, before[name])


def test_gradients_of_both_players_are_clipped(tmp_path: Path) -> None:
    config = tiny(tmp_path, game=True, optimiser={"gradient_clip": 1e-3})
    players = Players(config, launch(config), tmp_path)
    scalars = players.step(next(batches(config, 0, torch.device("cpu"), tmp_path)), 1)
    assert players.discriminator
    for player, name in ((players.generator, "gradient_norm"), (players.discriminator, "d_gradient_norm")):
        assert scalars[name] > 1e-3
        total = sum(float(gradient(weight).square().sum()) for weight in player.network.parameters())
        assert total**0.5 == pytest.approx(1e-3, rel=1e-2)


_SHARED = """
import sys
from pathlib import Path
import torch
from tests.training.test_game import shared
from training.data.stream import batches
from training.devices import launch
from training.discriminator_view import view_channels, views
from training.players import Players
from training.train import train

folder = Path(sys.argv[1])
config = shared(folder)
fabric = launch(config)
players = Players(config, fabric, folder)
stream = batches(config, 0, fabric.device, folder, rank=fabric.global_rank, world=fabric.world_size)
scalars = players.step(next(stream), 1)
if fabric.is_global_zero:
    gradients = [[w.grad for w in p.network.parameters()] for p in (players.generator, players.discriminator)]
    torch.save(gradients, folder / "gradients.pt")
train(config, folder / "whole", cache=folder)
config = config.model_copy(update={"optimiser": config.optimiser.model_copy(update={"steps": 8})})
train(config, folder / "broken", cache=folder)
config = config.model_copy(update={"optimiser": config.optimiser.model_copy(update={"steps": 14})})
train(config, folder / "broken", resume=folder / "broken" / "last.pt", cache=folder)
"""


def shared(folder: Path) -> TrainingConfig:
    """What two processes train together: gradients come out as they are, nothing is clipped."""
    return tiny(folder, game=True, steps=14, optimiser={"gradient_clip": 1e9})


@pytest.mark.processes
def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    config = shared(tmp_path)
    parts = [next(batches(config, 0, torch.device("cpu"), tmp_path, rank=rank, world=2)) for rank in (0, 1)]
    assert len(parts[0]) == len(parts[1]) == 2
    assert not torch.equal(parts[0].lr, parts[1].lr)
    players = Players(config, launch(config), tmp_path)
    players.step(Samples.concatenate(parts), 1)
    assert players.discriminator

    script = tmp_path / "shared.py"
    script.write_text(_SHARED)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        str(script),
    ]
    subprocess.run([*command, str(tmp_path)], env=environment, check=True, timeout=110)
    together = torch.load(tmp_path / "gradients.pt")
    for player, gradients in zip((players.generator, players.discriminator), together, strict=True):
        own = [gradient(weight) for weight in player.network.parameters()]
        assert [each.shape for each in gradients] == [each.shape for each in own]
        alone, both = (torch.cat([each.flatten() for each in every]) for every in (own, gradients))
        # Sums in another order: rounding, in proportion to the whole gradient.
        assert (both - alone).norm() < 1e-4 * alone.norm()

    # Interrupted and resumed, the two go on along the same curve.
    whole, broken = losses(tmp_path / "whole"), losses(tmp_path / "broken")
    assert sorted(broken) == sorted(whole) == list(range(1, 15))
    for step in whole:
        for name in ("g_loss", "d_loss", "d_sr"):
            assert broken[step][name] == pytest.approx(whole[step][name], rel=1e-4)


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.config import ConfigError

    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match=r"optimiser\.batch: 4 cannot be shared by 3 processes"):
        launch(tiny(tmp_path, game=False))


def test_half_precision_without_cuda_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.config import ConfigError

    with pytest.raises(ConfigError, match=r"optimiser\.precision: float16 needs CUDA"):
        tiny(tmp_path, game=False, optimiser={"precision": "float16"})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = tiny(tmp_path, game=False, optimiser={"precision": "float16"}, run={"device": "auto"})
    with pytest.raises(ConfigError, match=r"optimiser\.precision: float16 needs CUDA"):
        launch(config)


@pytest.mark.processes
def test_a_game_for_the_picture_alone_leaves_the_logits_as_they_were(tmp_path: Path) -> None:
    two: dict[str, object] = {"kind": "two_outputs", "channels": 8, "dilations": [1], "picture_gradient": 0.0}
    sections: dict[str, dict[str, object]] = {"generator": two, "data": {"picture": "scene"}}
    first = train(
        tiny(tmp_path, game=False, steps=3, **sections), tmp_path / "first", cache=tmp_path
    )  # fmt: skip
    config = tiny(
        tmp_path, game=True, steps=6, **sections,
        loss={"cross_entropy": 0.0, "sharpen_pixels": True},
        adversarial={"sees_lr": True, "sees_symbol": True, "noise": 0.02}, run={"initial": str(first)},
    )  # fmt: skip
    state = checkpoints.load(train(config, tmp_path / "second", cache=tmp_path))
    before, after = generator_of(checkpoints.load(first)), generator_of(state)
    lr = torch.rand(2, 1, 16, 24)
    assert torch.equal(before(lr).logits, after(lr).logits)
    assert not torch.equal(before(lr).sr, after(lr).sr)


def test_the_discriminator_is_shown_what_the_configuration_says(tmp_path: Path) -> None:
    config = tiny(tmp_path, game=True, adversarial={"sees_lr": True, "sees_symbol": True})
    samples = next(batches(config, 0, torch.device("cpu"), tmp_path))
    sr = torch.rand(samples.target.shape, requires_grad=True)
    true, made = views(samples, sr, config, step=5)
    assert true.shape[1] == made.shape[1] == view_channels(config) == 3
    torch.testing.assert_close(true[:, 0:1], samples.picture.float() / 255)
    torch.testing.assert_close(made[:, 0:1], sr)
    torch.testing.assert_close(true[:, 1:], made[:, 1:])
    torch.testing.assert_close(made[:, 2:], samples.target.float() / 255)
    made[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert sr.grad is not None
    assert bool((sr.grad == 1).all())


def test_the_noise_on_both_pictures_differs_and_follows_from_the_step(tmp_path: Path) -> None:
    config = tiny(tmp_path, game=True, adversarial={"noise": 0.05})
    samples = next(batches(config, 0, torch.device("cpu"), tmp_path))
    picture = samples.picture.float() / 255
    true, made = (view - picture for view in views(samples, picture, config, step=5))
    again, _ = (view - picture for view in views(samples, picture, config, step=5))
    torch.testing.assert_close(true, again)
    assert not torch.allclose(true, made)
    assert true.std().item() == pytest.approx(0.05, rel=0.05)
