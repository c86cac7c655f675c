"""Real-ESRGAN's degradations against formulas in NumPy, OpenCV and the real codec."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from training.config import ConfigError, parse
from training.data import jpeg, kernels, second_order
from training.data.config import BlurConfig, DegradationConfig, PassConfig, SecondOrderConfig
from training.data.degradation import MARGIN, degrade
from training.data.noise import add_noise, gaussian_noise, poisson_noise
from training.data.unsharp import unsharp

KINDS = ("camera", "second_order", "first_order", "jpeg_10", "bicubic")


def _each(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _column(*values: float) -> torch.Tensor:
    return _each(*values)[:, None, None, None]


def _expected(size: int, profile: Callable[[int, int], float]) -> np.ndarray:
    """A kernel written out pixel by pixel from `profile(x, y)`, normalised."""
    reach = size // 2
    kernel = np.array([[profile(x, y) for x in range(-reach, reach + 1)] for y in range(-reach, reach + 1)])
    return np.asarray(kernel / kernel.sum())


def _covariance(sigma_1: float, sigma_2: float, turn: float) -> np.ndarray:
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return np.asarray(rotation @ np.diag([sigma_1**2, sigma_2**2]) @ rotation.T)


def _distance(x: float, y: float, covariance: np.ndarray) -> float:
    point = np.array([x, y])
    return float(point @ np.linalg.inv(covariance) @ point)


def _bessel_j1(z: float) -> float:
    """J1(z) = 1/pi * integral over [0, pi] of cos(t - z sin t) (Abramowitz & Stegun 9.1.21)."""
    t = (np.arange(4000) + 0.5) * np.pi / 4000
    return float(np.cos(t - z * np.sin(t)).mean())


@pytest.mark.parametrize(("sigma_1", "sigma_2", "turn"), [(1.3, 1.3, 0.0), (2.6, 0.7, 0.6), (0.4, 3.0, -2.0)])
def test_gaussians_follow_their_covariance(sigma_1: float, sigma_2: float, turn: float) -> None:
    covariance = _covariance(sigma_1, sigma_2, turn)
    expected = _expected(kernels.SIZE, lambda x, y: math.exp(-0.5 * _distance(x, y, covariance)))
    made = kernels.gaussian(torch.tensor([[sigma_1, sigma_2]]), _each(turn))[0]
    assert np.abs(made.numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.7])
def test_generalised_gaussians_and_plateaus_follow_their_shape(beta: float) -> None:
    covariance = _covariance(2.2, 1.1, 0.8)
    sigma, turn = torch.tensor([[2.2, 1.1]]), _each(0.8)
    expected = _expected(kernels.SIZE, lambda x, y: math.exp(-0.5 * _distance(x, y, covariance) ** beta))
    assert np.abs(kernels.gaussian(sigma, turn, _each(beta))[0].numpy() - expected).max() < 1e-6
    expected = _expected(kernels.SIZE, lambda x, y: 1 / (1 + _distance(x, y, covariance) ** beta))
    assert np.abs(kernels.plateau(sigma, turn, _each(beta))[0].numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("cutoff", [math.pi / 5, math.pi / 3, 3.0])
def test_sinc_follows_its_bessel_function(cutoff: float) -> None:
    def profile(x: float, y: float) -> float:
        radius = math.hypot(x, y)
        if radius == 0:
            return cutoff**2 / (4 * math.pi)
        return cutoff * _bessel_j1(cutoff * radius) / (2 * math.pi * radius)

    made = kernels.sinc(_each(cutoff))[0].numpy()
    assert np.abs(made - _expected(kernels.SIZE, profile)).max() < 1e-6
    # It rings: a filter without negative lobes does not overshoot.
    assert made.min() < -1e-4


def test_drawn_kernels_sum_to_one_and_follow_the_seed() -> None:
    config = BlurConfig(probability=0.9, sinc=0.3)
    made = kernels.draw(config, 64, np.random.default_rng(4), torch.device("cpu"))
    again = kernels.draw(config, 64, np.random.default_rng(4), torch.device("cpu"))
    assert torch.equal(made, again)
    assert not torch.equal(made, kernels.draw(config, 64, np.random.default_rng(5), torch.device("cpu")))
    assert torch.allclose(made.sum((1, 2)), torch.ones(64), atol=1e-5)
    support = (made != 0).any(1).sum(1)
    # Identities apart, kernels are 7, 9, ... 21 pixels wide.
    assert set(support.tolist()) <= {1, *range(7, 22, 2)}
    assert len(set(support.tolist())) > 4


def test_each_sample_is_filtered_by_its_own_kernel() -> None:
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.random((3, 3, 40, 33), np.float32))
    made = kernels.draw(BlurConfig(sinc=0.5), 3, rng, torch.device("cpu"))
    filtered = kernels.apply(images, made)
    for n in range(3):
        for c in range(3):
            # OpenCV correlates too; its default border is the reflection without the edge.
            expected = cv2.filter2D(images[n, c].numpy(), -1, made[n].numpy())
            assert np.abs(filtered[n, c].numpy() - expected).max() < 1e-5


def test_gaussian_noise_is_as_strong_as_told_grey_or_coloured() -> None:
    images = torch.full((3, 3, 128, 128), 0.5)
    sigma, grey = _column(0.1, 0.1, 0.02), _column(1, 0, 0)
    noise = gaussian_noise(images, sigma, grey, torch.Generator().manual_seed(1))
    assert noise.std((1, 2, 3)).tolist() == pytest.approx([0.1, 0.1, 0.02], rel=0.03)
    channels = noise.flatten(2)
    assert torch.equal(channels[0, 0], channels[0, 2])
    assert abs(np.corrcoef(channels[1].numpy())[0, 1]) < 0.03


def test_coloured_noise_of_a_grey_picture_is_reduced_to_luma() -> None:
    images = torch.full((2, 1, 200, 200), 0.5)
    noise = gaussian_noise(images, _column(0.1, 0.1), _column(1, 0), torch.Generator().manual_seed(2))
    # The luma of three independent noises: their shares add up as squares.
    luma = math.sqrt(0.299**2 + 0.587**2 + 0.114**2)
    assert noise.std((1, 2, 3)).tolist() == pytest.approx([0.1, 0.1 * luma], rel=0.03)


def test_poisson_noise_grows_with_the_signal() -> None:
    images = torch.stack([torch.full((1, 200, 200), level) for level in (0.1, 0.9)])
    noise = poisson_noise(images, _column(1, 2), _column(1, 1), torch.Generator().manual_seed(3))
    # A count with mean m has variance m.
    expected = [math.sqrt(0.1 / 256), 2 * math.sqrt(0.9 / 256)]
    assert noise.std((1, 2, 3)).tolist() == pytest.approx(expected, rel=0.03)
    assert noise.mean((1, 2, 3)).tolist() == pytest.approx([0, 0], abs=2e-3)


def test_every_sample_gets_one_kind_of_noise() -> None:
    images = torch.full((40, 1, 16, 16), 0.5)
    config = PassConfig(gaussian_noise=0.5, noise_sigma=(50, 50), poisson_scale=(0.05, 0.05))
    noisy = add_noise(images, config, np.random.default_rng(0), torch.Generator().manual_seed(0))
    strong = ((noisy - images).std((1, 2, 3)) > 0.05).sum().item()
    assert 10 < strong < 30


def test_colour_jpeg_equals_the_real_codec() -> None:
    rng = np.random.default_rng(6)
    smooth = cv2.GaussianBlur(rng.random((64, 96, 3)).astype(np.float32), (0, 0), 3)
    picture = np.rint(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    for quality in (15, 50, 90):
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        _, stream = cv2.imencode(".jpg", picture[..., ::-1], options)
        decoded = cv2.imdecode(stream, cv2.IMREAD_COLOR)
        assert decoded is not None
        expected = decoded[..., ::-1].astype(int)
        made = (jpeg.compress(tensor, _each(quality))[0].permute(1, 2, 0) * 255).round().numpy().astype(int)
        loss = np.std(picture.astype(int) - expected)
        assert np.std(made - expected) < 0.6 + 0.2 * loss


def test_chrominance_table_is_that_of_the_standard() -> None:
    table = jpeg.quantisation_tables(_each(50), chroma=True)[0]
    assert table[0].tolist() == [17, 18, 24, 47, 99, 99, 99, 99]
    assert table[3].tolist() == [47, 66, 99, 99, 99, 99, 99, 99]
    assert set(table[4:].flatten().tolist()) == {99}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_makes_reproducible_lr_of_256_levels(kind: str, channels: int) -> None:
    side = 4 * 24 + 2 * MARGIN
    pictures = torch.rand((5, channels, side, side), generator=torch.Generator().manual_seed(0))
    config = DegradationConfig.model_validate({"kind": kind})

    def made(seed: int) -> torch.Tensor:
        rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        return degrade(pictures, np.full(5, 1.5), config, rng, noise)

    lr = made(1)
    assert lr.shape == (5, channels, 24, 24)
    levels = lr * 255
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert torch.equal(lr, made(1))
    if kind in ("camera", "second_order", "first_order"):
        assert not torch.equal(lr, made(2))


def test_jpeg_10_is_bicubic_reduction_and_the_real_codec() -> None:
    rng = np.random.default_rng(2)
    scene = cv2.GaussianBlur(rng.random((4 * 32, 4 * 32), np.float32), (0, 0), 6)
    scene = (scene - scene.min()) / np.ptp(scene)
    wide = np.pad(scene, MARGIN, mode="reflect").astype(np.float32)
    config = DegradationConfig(kind="jpeg_10")
    lr = (
        degrade(torch.from_numpy(wide)[None, None], np.ones(1), config, rng, torch.Generator())[0, 0].numpy()
        * 255
    )
    from PIL import Image

    reduced = np.asarray(Image.fromarray(scene).resize((32, 32), Image.Resampling.BICUBIC))
    _, stream = cv2.imencode(
        ".jpg", np.rint(reduced.clip(0, 1) * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 10]
    )
    expected = cv2.imdecode(stream, cv2.IMREAD_GRAYSCALE)
    assert np.abs(lr - expected).mean() < 1.0


def test_two_passes_lose_more_than_one_and_no_pass_loses_nothing() -> None:
    tame = PassConfig(
        blur=BlurConfig(probability=0), resize_shares=(0, 0, 1), gaussian_noise=1, noise_sigma=(0, 0),
        jpeg_quality=(100, 100),
    )  # fmt: skip
    config = SecondOrderConfig(first=tame, second=tame, final_sinc=0)
    picture = np.random.default_rng(0).random((160, 160), np.float32)
    smooth = torch.from_numpy(cv2.GaussianBlur(picture, (0, 0), 8))[None, None]
    rng, noise = np.random.default_rng(0), torch.Generator().manual_seed(0)
    lr = second_order.degrade_twice(smooth, config, 0, rng, noise)
    plain = torch.nn.functional.avg_pool2d(smooth, 4)
    assert (lr - plain).abs().mean() < 2 / 255
    rough = second_order.degrade_twice(smooth, SecondOrderConfig(), 0, rng, noise)
    assert (rough - plain).abs().mean() > 2 * (lr - plain).abs().mean()


def test_unsharp_masking_equals_its_formula() -> None:
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.random((90, 70)).astype(np.float32), (0, 0), 2)
    picture = (picture - picture.min()) / np.ptp(picture)
    # As published: kernel size 51, sigma chosen by OpenCV, weight 0.5, threshold 10.
    residual = picture - cv2.GaussianBlur(picture, (51, 51), 0)
    mask = cv2.GaussianBlur((np.abs(residual) * 255 > 10).astype(np.float32), (51, 51), 0)
    expected = mask * np.clip(picture + 0.5 * residual, 0, 1) + (1 - mask) * picture
    made = unsharp(torch.from_numpy(picture)[None, None])[0, 0].numpy()
    assert np.abs(made - expected).max() < 1e-4
    assert made.std() > picture.std()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "third_order"),
        ("second_order", {"first": {"resize_shares": [0.5, 0.5, 0.5]}}),
        ("second_order", {"first": {"resize": [1.1, 1.5]}}),
        ("second_order", {"second": {"blur": {"shares": [1, 0, 0, 0, 0, 0.1]}}}),
        ("second_order", {"first": {"sigma": 2}}),
    ],
)
def test_impossible_degradations_are_refused_with_their_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^test: data\.degradation\.{key}") as refused:
        parse({"data": {"degradation": {key: value}}}, "test")
    assert "\n" not in str(refused.value)
