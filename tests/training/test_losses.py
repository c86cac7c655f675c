"""The paper's equations, each against its formula in NumPy, and their gradients at the extremes."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from tests.builders.tensors import gradient
from training.losses.adversarial import Kind as GameKind
from training.losses.adversarial import discriminator_loss, generator_loss
from training.losses.binary_pattern import binary_pattern_loss, pixel_weight, ramp
from training.losses.config import BinaryPatternConfig, PerceptualConfig
from training.losses.perceptual import MEAN, STD, PerceptualLoss, VGG19Features

RNG = np.random.default_rng(0)


def _log_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(1 / (1 + np.exp(-x))))


@pytest.mark.parametrize("shape", [(6, 1), (3, 1, 8, 8)])
def test_standard_game_is_equation_1(shape: tuple[int, ...]) -> None:
    hr, sr = RNG.normal(0, 2, (2, *shape))
    probability = 1 / (1 + np.exp(-hr)), 1 / (1 + np.exp(-sr))
    expected = -(np.log(probability[0]).mean() + np.log(1 - probability[1]).mean())
    found = discriminator_loss("standard", torch.from_numpy(hr), torch.from_numpy(sr))
    assert found.item() == pytest.approx(expected, rel=1e-9)
    found = generator_loss("standard", torch.from_numpy(hr), torch.from_numpy(sr))
    assert found.item() == pytest.approx(-np.log(probability[1]).mean(), rel=1e-9)


@pytest.mark.parametrize("shape", [(6, 1), (3, 1, 8, 8)])
def test_relativistic_game_is_equations_2_to_4(shape: tuple[int, ...]) -> None:
    hr, sr = RNG.normal(0, 2, (2, *shape))
    real = 1 / (1 + np.exp(-(hr - sr.mean())))
    fake = 1 / (1 + np.exp(-(sr - hr.mean())))
    tensors = torch.from_numpy(hr), torch.from_numpy(sr)
    expected = -np.log(real).mean() - np.log(1 - fake).mean()
    assert discriminator_loss("relativistic", *tensors).item() == pytest.approx(expected, rel=1e-9)
    expected = -np.log(1 - real).mean() - np.log(fake).mean()
    assert generator_loss("relativistic", *tensors).item() == pytest.approx(expected, rel=1e-9)


def test_the_generator_learns_from_both_terms_of_the_relativistic_loss() -> None:
    hr, sr = RNG.normal(0, 1, (2, 5))
    logits = torch.from_numpy(sr).requires_grad_()
    generator_loss("relativistic", torch.from_numpy(hr), logits).backward()  # type: ignore[no-untyped-call]
    # d/dC(sr_i): the term over SR gives -(1 - σ(sr_i - mean hr)) / n, the term over HR, through the mean of C(sr),
    # -mean(σ(hr - mean sr)) / n.
    over_sr = -(1 - 1 / (1 + np.exp(-(sr - hr.mean())))) / 5
    over_hr = -np.mean(1 / (1 + np.exp(-(hr - sr.mean())))) / 5
    np.testing.assert_allclose(gradient(logits).numpy(), over_sr + over_hr, rtol=1e-9)
    assert abs(over_hr) > 0.01


@pytest.mark.parametrize("kind", ["standard", "relativistic"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_extreme_logits_have_finite_losses_and_gradients(kind: GameKind, sign: int) -> None:
    hr = torch.full((4, 1), 50.0 * sign, requires_grad=True)
    sr = torch.full((4, 1), -50.0 * sign, requires_grad=True)
    for loss in (discriminator_loss(kind, hr, sr), generator_loss(kind, hr, sr)):
        gradients = torch.autograd.grad(loss, (hr, sr), allow_unused=True)
        assert torch.isfinite(loss)
        assert all(torch.isfinite(each).all() for each in gradients if each is not None)
    # A discriminator that is wrong by 100 loses 200 nats in the relativistic game, 100 in the other.
    wrong = discriminator_loss(kind, torch.full((4, 1), -50.0), torch.full((4, 1), 50.0))
    assert wrong.item() == pytest.approx(200 if kind == "relativistic" else 100)


@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.3])
def test_pixel_weight_is_equation_7(alpha: float) -> None:
    x = np.array([0.0, 17.0, 100.0, 128.0, 200.0, 255.0])
    exponential = np.exp(-alpha * (x - 128))
    expected = 4 * exponential / (1 + exponential) ** 2
    np.testing.assert_allclose(pixel_weight(torch.from_numpy(x / 255), alpha).numpy(), expected, rtol=1e-9)
    assert pixel_weight(torch.tensor(128 / 255), alpha).item() == pytest.approx(1)


def test_binary_pattern_constraint_in_both_readings() -> None:
    sr, hr = RNG.random((2, 2, 1, 5, 4))
    exponential = np.exp(-0.05 * (255 * sr - 128))
    weight = 4 * exponential / (1 + exponential) ** 2
    tensors = torch.from_numpy(sr), torch.from_numpy(hr)
    mean = binary_pattern_loss(*tensors, BinaryPatternConfig(reading="mean"))
    assert mean.item() == pytest.approx(weight.mean(), rel=1e-9)
    expected = (weight * (sr - hr) ** 2).mean()
    for through in (True, False):
        config = BinaryPatternConfig(reading="l2", differentiate_weight=through)
        assert binary_pattern_loss(*tensors, config).item() == pytest.approx(expected, rel=1e-9)


def test_a_fixed_weight_always_pulls_towards_the_truth() -> None:
    sr, hr = RNG.random(20), RNG.integers(0, 2, 20).astype(float)
    pictures = torch.from_numpy(sr).requires_grad_()
    binary_pattern_loss(pictures, torch.from_numpy(hr), BinaryPatternConfig()).backward()  # type: ignore[no-untyped-call]
    exponential = np.exp(-0.05 * (255 * sr - 128))
    weight = 4 * exponential / (1 + exponential) ** 2
    np.testing.assert_allclose(gradient(pictures).numpy(), weight * 2 * (sr - hr) / 20, rtol=1e-9)


READINGS = [
    BinaryPatternConfig(reading="mean"),
    BinaryPatternConfig(reading="l2", differentiate_weight=True),
    BinaryPatternConfig(reading="l2"),
]


@pytest.mark.parametrize("config", READINGS, ids=["mean", "l2-through", "l2"])
@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_binary_pattern_gradients_are_finite_at_black_and_white(
    config: BinaryPatternConfig, alpha: float
) -> None:
    sr = torch.tensor([0.0, 1.0, 0.5], requires_grad=True)
    hr = torch.tensor([1.0, 0.0, 0.0])
    binary_pattern_loss(sr, hr, config.model_copy(update={"alpha": alpha})).backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(gradient(sr)).all()


@pytest.mark.parametrize("config", READINGS[:2], ids=["mean", "l2-through"])
def test_binary_pattern_gradients_are_those_of_the_formula(config: BinaryPatternConfig) -> None:
    point = torch.tensor([0.2, 0.9, 0.5], dtype=torch.float64, requires_grad=True)
    hr = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: binary_pattern_loss(x, hr, config), (point,))


def test_the_constraint_ramps_in() -> None:
    config = BinaryPatternConfig(ramp_start=100, ramp_steps=50)
    assert [ramp(config, step) for step in (1, 100, 110, 150, 900)] == [0, 0, pytest.approx(0.2), 1, 1]
    at_once = BinaryPatternConfig(ramp_start=3)
    assert [ramp(at_once, step) for step in (3, 4)] == [0, 1]
    assert ramp(BinaryPatternConfig(), 1) == 1


def vgg_weights(names: dict[int, tuple[int, int]], seed: int = 0) -> dict[str, torch.Tensor]:
    """Random convolutions by position in torchvision's `features`: output and input channels."""
    random = torch.Generator().manual_seed(seed)
    weights = {}
    for position, (out, into) in names.items():
        weights[f"features.{position}.weight"] = torch.randn(out, into, 3, 3, generator=random) / math.sqrt(
            9 * into
        )
        weights[f"features.{position}.bias"] = torch.randn(out, generator=random) / 10
    return weights


FIRST_THREE = {0: (64, 3), 2: (64, 64), 5: (128, 64)}


def _convolved(x: np.ndarray, weights: dict[str, torch.Tensor], position: int) -> np.ndarray:
    kernel, bias = (weights[f"features.{position}.{kind}"].double().numpy() for kind in ("weight", "bias"))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.asarray(np.einsum("nchwij,ocij->nohw", windows, kernel) + bias[:, None, None])


def _features(picture: np.ndarray, weights: dict[str, torch.Tensor]) -> np.ndarray:
    """VGG19's conv2_1 before its activation, from the definition of its layers."""
    colour = np.repeat(picture, 3, axis=1)
    x = (colour - np.array(MEAN)[:, None, None]) / np.array(STD)[:, None, None]
    x = np.maximum(_convolved(x, weights, 0), 0)
    x = np.maximum(_convolved(x, weights, 2), 0)
    count, channels, height, width = x.shape
    x = x.reshape(count, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))
    return _convolved(x, weights, 5)


def test_perceptual_loss_is_the_distance_of_features_before_activation() -> None:
    sr, hr = RNG.random((2, 2, 1, 8, 12))
    weights = vgg_weights(FIRST_THREE)
    own, other = _features(sr, weights), _features(hr, weights)
    tensors = torch.from_numpy(sr).float(), torch.from_numpy(hr).float()

    def loss(**options: Any) -> float:
        return float(PerceptualLoss(PerceptualConfig(layer="conv2_1", **options), weights)(*tensors))

    assert loss() == pytest.approx(np.abs(own - other).mean(), rel=1e-4)
    assert loss(criterion="l2") == pytest.approx(((own - other) ** 2).mean(), rel=1e-4)
    after = np.abs(np.maximum(own, 0) - np.maximum(other, 0)).mean()
    assert loss(before_activation=False) == pytest.approx(after, rel=1e-4)
    assert after < 0.9 * np.abs(own - other).mean()


def test_perceptual_gradients_reach_the_picture_and_no_weight() -> None:
    loss = PerceptualLoss(PerceptualConfig(layer="conv1_2"), vgg_weights({0: (64, 3), 2: (64, 64)}))
    sr = torch.rand(1, 1, 8, 8, requires_grad=True)
    loss(sr, torch.rand(1, 1, 8, 8)).backward()
    assert torch.isfinite(gradient(sr)).all()
    assert gradient(sr).abs().sum() > 0
    assert all(weight.grad is None for weight in loss.parameters())


def test_layers_have_torchvisions_positions() -> None:
    # By torchvision's documented layout: conv5_4 is features.34, conv4_4 features.25, conv3_1 features.10.
    shapes = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128)}
    features = VGG19Features(vgg_weights(shapes), "conv3_1", before_activation=True)
    assert sum(name.endswith("weight") for name in features.state_dict()) == len(shapes)
    with pytest.raises(KeyError, match=r"features\.12\.weight"):
        VGG19Features(vgg_weights(shapes), "conv3_2", before_activation=True)
    with pytest.raises(ValueError, match="no layer conv1_3"):
        VGG19Features(vgg_weights(shapes), "conv1_3", before_activation=True)
    with pytest.raises(ValueError, match="shape"):
        VGG19Features(vgg_weights({0: (32, 3)}), "conv1_1", before_activation=True)


@pytest.mark.parametrize(("config", "expected"), list(zip(READINGS, [127, 116, 0], strict=True)), ids=str)
def test_how_many_wrong_levels_a_reading_pushes_away(config: BinaryPatternConfig, expected: int) -> None:
    # Of the 127 grey levels on the wrong side of a black target; docs/paper.md tells these numbers.
    x = np.arange(129, 256)
    if config.reading == "l2" and config.differentiate_weight:
        # w' = -a tanh(a(x - 128) / 2) w, so the derivative of w x^2 is w x (2 - a tanh(a(x - 128) / 2) x).
        assert expected == int((0.05 * np.tanh(0.05 * (x - 128) / 2) * x > 2).sum())
    sr = torch.from_numpy(x / 255).requires_grad_()
    binary_pattern_loss(sr, torch.zeros_like(sr), config).backward()  # type: ignore[no-untyped-call]
    assert int((gradient(sr) < 0).sum()) == expected
