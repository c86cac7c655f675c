"""From the scene to the LR crop, with the kind of degradation that the configuration names.

This module has the camera: lens, sensor, the camera's own processing, reduction, recompression. Each step applies to a
random share of the samples. All kinds work on batches and on any device.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data import jpeg, second_order
from training.data.config import DegradationConfig

MARGIN = 16
"""HR pixels of scene that the blur needs around the crop, on every side."""

_REDUCTIONS = ("area", "bicubic", "bilinear", "nearest")
_REDUCTION_SHARES = (0.5, 0.2, 0.15, 0.15)


def degrade(
    pictures: Tensor,
    px_per_module: NDArray[np.float64],
    config: DegradationConfig,
    rng: np.random.Generator,
    noise: torch.Generator,
) -> Tensor:
    """LR crops `(N, C, h, w) float32` in [0, 1] of scenes `(N, C, 4h + 2 MARGIN, 4w + 2 MARGIN) float32`.

    C is 1 or 3. `px_per_module` is `(N,)`, LR pixels; the blur of `camera` depends on it. `noise` is on the device of
    `pictures`.
    """
    inner = MARGIN // 4
    shifted = config.shifted_jpeg_grid
    if config.kind == "second_order":
        return second_order.degrade_twice(pictures, config.second_order, inner, rng, noise, shifted)
    if config.kind == "first_order":
        return second_order.degrade_once(pictures, config.second_order, inner, rng, noise, shifted)
    if config.kind in ("bicubic", "jpeg_10"):
        return _reduced_plainly(pictures, 10 if config.kind == "jpeg_10" else None)
    middle = torch.nn.functional.avg_pool2d(_blur(pictures, px_per_module, config, rng), 2)
    middle = _camera(middle, config, rng, noise)
    lr = _reduce(middle, rng)
    lr = lr[:, :, inner:-inner, inner:-inner]
    lr = _noise(lr, config.noise, 0.035, rng, noise).clamp(0, 1)
    return _recompress((lr * 255).round() / 255, config, rng)


def _reduced_plainly(pictures: Tensor, quality: int | None) -> Tensor:
    """Bicubic reduction by four, as in SRGAN and ESRGAN, and JPEG if a quality is given."""
    lr = torch.nn.functional.interpolate(
        pictures[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN], scale_factor=0.25, mode="bicubic", antialias=True
    )
    lr = (lr.clamp(0, 1) * 255).round() / 255
    if quality is None:
        return lr
    return jpeg.compress(lr, torch.full((len(lr),), float(quality), device=lr.device))


def _blur(
    pictures: Tensor, px_per_module: NDArray[np.float64], config: DegradationConfig, rng: np.random.Generator
) -> Tensor:
    """Gaussian (any direction), motion and defocus blur, multiplied as transfer functions.

    The transforms are those of a Gaussian, a segment and a disc (Goodman, Introduction to Fourier Optics,
    section 2.1).
    """
    count = len(pictures)
    # As much as leaves modules distinguishable, and at least one pixel.
    room = 4 * np.maximum(1.0, 0.62 * px_per_module)

    def drawn(probability: float, low: float, high: float) -> NDArray[np.float64]:
        return np.where(rng.random(count) < probability, rng.uniform(low, high, count), 0.0)

    wide = drawn(config.blur, 0.05, 0.62) * room
    narrow = wide * np.where(rng.random(count) < 0.5, 1.0, rng.uniform(0.4, 1.0, count))
    length = drawn(config.motion, 0.2, 1.4) * room
    radius = drawn(config.defocus, 0.2, 0.9) * room
    turn, direction = rng.uniform(0, np.pi, (2, count))

    device, (height, width) = pictures.device, pictures.shape[-2:]
    fy = torch.fft.fftfreq(height, device=device)[:, None]
    fx = torch.fft.rfftfreq(width, device=device)[None, :]

    def column(values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(device)[:, None, None]

    cos, sin = column(np.cos(turn)), column(np.sin(turn))
    along, across = fx * cos + fy * sin, fy * cos - fx * sin
    transfer = torch.exp(-2 * np.pi**2 * ((along * column(wide)) ** 2 + (across * column(narrow)) ** 2))
    if length.any():
        transfer = transfer * torch.sinc(
            (fx * column(np.cos(direction)) + fy * column(np.sin(direction))) * column(length)
        )
    defocused = np.flatnonzero(radius)
    if len(defocused):
        index = torch.from_numpy(defocused).to(device)
        argument = (2 * np.pi * torch.hypot(fx, fy) * column(radius)[index]).clamp_min(1e-4)
        transfer[index] = transfer[index] * (2 * torch.special.bessel_j1(argument) / argument)
    blurred: Tensor = torch.fft.irfft2(torch.fft.rfft2(pictures) * transfer[:, None], s=(height, width))
    return blurred.clamp(0, 1)


def _camera(
    images: Tensor, config: DegradationConfig, rng: np.random.Generator, noise: torch.Generator
) -> Tensor:
    """Sensor noise, sharpening and the camera's own JPEG, at twice the LR resolution."""
    count = len(images)
    images = _noise(images, config.camera_noise, 0.07, rng, noise)
    amount = np.where(rng.random(count) < config.sharpen, rng.uniform(0.3, 2.0, count), 0.0).astype(
        np.float32
    )
    smooth = torch.nn.functional.avg_pool2d(
        torch.nn.functional.pad(images, (2, 2, 2, 2), mode="replicate"), 5, 1
    )
    images = images + _column(amount, images) * (images - smooth)
    chosen = np.flatnonzero(rng.random(count) < config.camera_jpeg)
    if len(chosen):
        index = torch.from_numpy(chosen).to(images.device)
        quality = torch.from_numpy(rng.uniform(40, 95, len(chosen)).astype(np.float32)).to(images.device)
        images = images.index_copy(0, index, jpeg.compress(images[index].clamp(0, 1), quality))
    return images.clamp(0, 1)


def _noise(
    images: Tensor, probability: float, strength: float, rng: np.random.Generator, noise: torch.Generator
) -> Tensor:
    """Read-out noise plus photon noise, which has a variance that grows with the signal."""
    count = len(images)
    share = np.where(rng.random(count) < probability, rng.uniform(0, 1, count) ** 2 * strength, 0.0).astype(
        np.float32
    )
    photon = rng.uniform(0, 1, count).astype(np.float32)
    sigma = _column(share, images) * torch.sqrt(
        torch.lerp(torch.ones_like(images), images.clamp(0, 1) * 2, _column(photon, images))
    )
    return images + sigma * torch.randn(images.shape, generator=noise, device=images.device)


def _reduce(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Reduction to half the size, with the kernels that cameras, browsers and messengers use."""
    kinds = rng.choice(len(_REDUCTIONS), len(images), p=_REDUCTION_SHARES)
    height, width = images.shape[-2] // 2, images.shape[-1] // 2
    reduced = images.new_empty((*images.shape[:2], height, width))
    for kind, name in enumerate(_REDUCTIONS):
        index = torch.from_numpy(np.flatnonzero(kinds == kind)).to(images.device)
        if len(index) == 0:
            continue
        chosen = images[index]
        if name == "area":
            part = torch.nn.functional.avg_pool2d(chosen, 2)
        elif name == "nearest":
            # Drop every second pixel along one direction, as careless code does: aliased and off centre.
            part = (
                torch.nn.functional.avg_pool2d(chosen, (1, 2), (2, 2))
                if rng.random() < 0.5
                else (torch.nn.functional.avg_pool2d(chosen, (2, 1), (2, 2)))
            )
        else:
            part = torch.nn.functional.interpolate(
                chosen, (height, width), mode=name, align_corners=False, antialias=True
            )
        reduced[index] = part
    return reduced.clamp(0, 1)


def _recompress(images: Tensor, config: DegradationConfig, rng: np.random.Generator) -> Tensor:
    count = len(images)
    chosen = np.flatnonzero(rng.random(count) < config.jpeg)
    twice = rng.random(len(chosen)) < config.double_jpeg
    out = images.clone()
    # Samples share the shift of their grid in groups; a few groups a batch give enough variety.
    for group in np.array_split(rng.permutation(len(chosen)), 4):
        if len(group) == 0:
            continue
        index = torch.from_numpy(chosen[group]).to(images.device)
        quality = torch.from_numpy(jpeg.draw_quality(*config.jpeg_quality, len(group), rng)).to(images.device)
        shifted = rng.random() < config.shifted_jpeg_grid
        shift = (int(rng.integers(8)), int(rng.integers(8))) if shifted else (0, 0)
        again = torch.from_numpy(np.flatnonzero(twice[group])).to(images.device)
        part = images[index]
        if len(again):
            first = (int(rng.integers(8)), int(rng.integers(8)))
            before = torch.from_numpy(rng.uniform(25, 90, len(again)).astype(np.float32)).to(images.device)
            part = part.index_copy(0, again, jpeg.compress(part[again], before, first))
        out[index] = jpeg.compress(part, quality, shift)
    return out


def _column(values: NDArray[np.float32], like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like.device)[:, None, None, None]
