"""The scene before the camera: symbols on backgrounds in uneven light, rendered in batches on any device.

Every picture is drawn together with its target, the clean symbol at the same place, and with a weight for each pixel of
the target.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data import styles
from training.data.config import SceneConfig
from training.data.geometry import Placement
from training.data.light import Light, draw_light, draw_shadows, illuminate
from training.data.styles import Column, Style, draw_style
from training.losses.config import LossConfig


@dataclass(frozen=True)
class Look:
    """The appearance of N symbols. All arrays have N rows; `float32` unless stated, reflectances in [0, 1]."""

    dark: NDArray[np.float32]
    light: NDArray[np.float32]
    inverted: NDArray[np.bool_]
    quiet: NDArray[np.float32]
    """`(N, 4)` modules of quiet zone left, top, right, bottom."""
    threshold: NDArray[np.float32]
    """Edge position of spread ink: 0.5 is exact, less spreads dark modules, more shrinks them."""
    rounded: NDArray[np.float32]
    """1 if corners of modules are rounded as by spreading ink, 0 if they are sharp."""
    dot_radius: NDArray[np.float32]
    """Radius in modules of the dots that replace dark modules; 0 for full squares."""
    damage: NDArray[np.float32]
    """`(N, 5)` ellipse of dirt or a logo in shares of the symbol: x, y, radius x, radius y, reflectance;
    radius 0 for none."""
    style: Style
    illumination: Light
    background: NDArray[np.int64]
    """Index into the bank of textures."""
    background_zoom: NDArray[np.float32]

    def familiar(self) -> NDArray[np.bool_]:
        """`(N,)`, whether neither style nor light is of the kinds that came later."""
        return np.asarray(self.style.plain() & self.illumination.ordinary())


def draw_look(config: SceneConfig, count: int, textures: int, rng: np.random.Generator) -> Look:
    """Draw the appearance of `count` symbols."""

    def chance(probability: float) -> NDArray[np.bool_]:
        return np.asarray(rng.random(count) < probability)

    def uniform(low: float, high: float, *shape: int) -> NDArray[np.float32]:
        return rng.uniform(low, high, (count, *shape)).astype(np.float32)

    light = np.where(chance(0.6), uniform(0.75, 1.0), uniform(0.35, 0.9))
    contrast = np.where(chance(0.7), uniform(0.6, 1.0), uniform(0.2, 0.7))
    quiet = np.where(chance(0.5)[:, None], uniform(3, 6, 4), uniform(0, 4, 4))
    shadows = draw_shadows(config, count, rng)
    spread = chance(config.ink_spread)
    damaged = chance(config.damaged)
    radius = uniform(0.02, 0.14, 2) * damaged[:, None]
    # Later kinds of scenes have numbers of their own, so that older configurations, and with them published figures,
    # keep their samples.
    inks, styles_, extremes = rng.spawn(3)
    faint = inks.random(count) < config.faint_ink
    light = np.where(faint, inks.uniform(0.85, 1.0, count), light)
    contrast = np.where(faint, inks.uniform(0.08, 0.35, count), contrast)
    return Look(
        dark=(light * (1 - contrast)).astype(np.float32),
        light=light.astype(np.float32),
        inverted=chance(config.inverted),
        quiet=quiet.astype(np.float32),
        threshold=np.where(spread, uniform(0.25, 0.72), 0.5).astype(np.float32),
        rounded=np.where(spread, 1.0, 0.0).astype(np.float32),
        dot_radius=np.where(chance(config.dotted), uniform(0.32, 0.52), 0.0).astype(np.float32),
        damage=np.column_stack([uniform(0.1, 0.9, 2), radius, uniform(0, 1)]).astype(np.float32),
        style=draw_style(config, count, styles_),
        illumination=draw_light(config, shadows, rng, extremes),
        background=rng.integers(0, textures, count),
        background_zoom=np.exp(uniform(-0.7, 0.9)).astype(np.float32),
    )


@dataclass(frozen=True)
class Scene:
    """N rendered scenes; tensors `(N, 1, H, W) float32`."""

    picture: Tensor
    """Luminance in [0, 1] that reaches the lens, `margin` pixels wider on every side than the target."""
    target: Tensor
    """The clean symbol in [0, 1]: dark modules 0, light ones 1 (swapped if inverted); surroundings as they are."""
    weight: Tensor
    """Weight of each target pixel in the loss, at least 0."""


def render(
    modules: Tensor,
    sizes: Tensor,
    placement: Placement,
    look: Look,
    textures: Tensor,
    loss: LossConfig,
    hr_size: int,
    margin: int,
) -> Scene:
    """Render N scenes of `hr_size` pixels a side on the device of `modules`.

    `modules` is `(N, M, M) float32`, 1 for dark, each symbol in the corner of a matrix of zeros; `sizes` is
    `(N,) float32`, its modules along a side; `textures` is `(T, 1, K, K) float32` in [0, 1].
    """
    device = modules.device

    def column(values: NDArray[np.generic]) -> Tensor:
        """One value a sample, to be broadcast over its pixels."""
        return torch.from_numpy(values.astype(np.float32)).to(device)[:, None, None]

    size = sizes[:, None, None]
    span = torch.arange(-margin, hr_size + margin, device=device, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid(span, span, indexing="ij")
    u, v = _module_coordinates(x, y, placement, size, device)
    px = column(placement.px_per_module * 4)

    sharp, rounded = _lookup(modules, sizes, u, v, px)
    # A threshold other than one half moves the edges of the bilinear surface, like spreading ink.
    printed = torch.lerp(
        sharp, ((rounded - column(look.threshold)) * px + 0.5).clamp(0, 1), column(look.rounded)
    )
    printed = printed * _dots(u, v, size, px, column(look.dot_radius))
    printed = styles.shape(printed, u, v, size, px, look.style, column)

    quiet = torch.from_numpy(look.quiet).to(device)[:, :, None, None]
    on_label = _inside(u, -quiet[:, 0], size + quiet[:, 2], px) * _inside(
        v, -quiet[:, 1], size + quiet[:, 3], px
    )
    inverted = column(look.inverted)
    clean = torch.lerp(1 - sharp, sharp, inverted)
    printed = torch.lerp(1 - printed, printed, inverted)
    light = column(look.light)
    ink = column(look.dark) + styles.tint(u / size, v / size, look.style, column)
    # With any tint, ink stays darker than its ground.
    ink = torch.minimum(ink, light - 0.5 * (light - column(look.dark))).clamp_min(0)
    printed = torch.lerp(ink, light, printed)
    printed = styles.brand(printed, u / size, v / size, look.style, column)
    printed = _damage(printed, u / size, v / size, look, column)

    surroundings = _surroundings(textures, look, x, y, device)
    reflectance = torch.lerp(surroundings, printed, on_label)
    picture = illuminate(reflectance, x / hr_size, y / hr_size, look.illumination, column)
    target = torch.lerp(surroundings, clean, on_label)
    weight = _weights(u, v, size, on_label, loss)
    inner = slice(margin, margin + hr_size)
    return Scene(picture[:, None], target[:, None, inner, inner], weight[:, None, inner, inner])


def _module_coordinates(
    x: Tensor, y: Tensor, placement: Placement, size: Tensor, device: torch.device
) -> tuple[Tensor, Tensor]:
    maps = torch.from_numpy(placement.pixel_to_module).to(device, torch.float32)[:, :, :, None, None]
    z = maps[:, 2, 0] * x + maps[:, 2, 1] * y + maps[:, 2, 2]
    # Beyond the vanishing line there is no label; any far coordinate works.
    z = z.clamp_min(1e-3)
    u = (maps[:, 0, 0] * x + maps[:, 0, 1] * y + maps[:, 0, 2]) / z
    v = (maps[:, 1, 0] * x + maps[:, 1, 1] * y + maps[:, 1, 2]) / z
    bend = torch.from_numpy(placement.bend).to(device, torch.float32)[:, :, None, None]
    centre = size / 2
    return u + bend[:, 0] * (v - centre) ** 2 / size, v + bend[:, 1] * (u - centre) ** 2 / size


def _lookup(modules: Tensor, sizes: Tensor, u: Tensor, v: Tensor, px: Tensor) -> tuple[Tensor, Tensor]:
    """Darkness at module coordinates: with straight anti-aliased edges, and interpolated bilinearly."""
    count, width, _ = modules.shape
    # A border of light modules makes every coordinate outside the symbol light.
    padded = torch.nn.functional.pad(modules, (1, 1, 1, 1)).reshape(-1)
    width += 2
    base = (torch.arange(count, device=modules.device) * (width * width))[:, None, None]
    last = sizes[:, None, None] + 1
    u, v = u + 0.5, v + 0.5
    left, top = u.floor(), v.floor()
    step_u, step_v = u - left, v - top
    columns = [(left + k).clamp(min=0).minimum(last).long() for k in (0, 1)]
    rows = [base + (top + k).clamp(min=0).minimum(last).long() * width for k in (0, 1)]
    corners = [[padded[row + column] for column in columns] for row in rows]

    def blend(along_u: Tensor, along_v: Tensor) -> Tensor:
        upper, lower = (torch.lerp(left_one, right_one, along_u) for left_one, right_one in corners)
        return torch.lerp(upper, lower, along_v)

    def edge(step: Tensor) -> Tensor:
        return ((step - 0.5) * px + 0.5).clamp(0, 1)

    return blend(edge(step_u), edge(step_v)), blend(step_u, step_v)


def _dots(u: Tensor, v: Tensor, size: Tensor, px: Tensor, radius: Tensor) -> Tensor:
    if not bool((radius > 0).any()):
        return torch.ones((), device=u.device)
    distance = torch.hypot(u - u.floor() - 0.5, v - v.floor() - 0.5)
    dot = ((radius - distance) * px + 0.5).clamp(0, 1)
    near_u, near_v = torch.minimum(u, size - u) < 7, torch.minimum(v, size - v) < 7
    # Designers keep the finder patterns whole. The corner without one is too small to matter.
    return torch.where((radius == 0) | (near_u & near_v), 1.0, dot)


def _inside(value: Tensor, low: Tensor, high: Tensor, px: Tensor) -> Tensor:
    return ((value - low) * px + 0.5).clamp(0, 1) * ((high - value) * px + 0.5).clamp(0, 1)


def _damage(printed: Tensor, u: Tensor, v: Tensor, look: Look, column: Column) -> Tensor:
    x, y, radius_x, radius_y, reflectance = (column(values) for values in look.damage.T)
    if not bool((radius_x > 0).any()):
        return printed
    distance = torch.hypot((u - x) / radius_x.clamp_min(1e-6), (v - y) / radius_y.clamp_min(1e-6))
    cover = ((1 - distance) * 8).clamp(0, 1) * (radius_x > 0)
    return torch.lerp(printed, reflectance.expand_as(printed), cover)


def _surroundings(textures: Tensor, look: Look, x: Tensor, y: Tensor, device: torch.device) -> Tensor:
    chosen = textures[torch.from_numpy(look.background).to(device)]
    zoom = torch.from_numpy(look.background_zoom).to(device)[:, None, None]
    scale = 2.0 / textures.shape[-1] / zoom
    grid = torch.stack([x * scale - 0.9, y * scale - 0.9], dim=-1)
    return torch.nn.functional.grid_sample(chosen, grid, padding_mode="reflection", align_corners=False)[:, 0]


def _weights(u: Tensor, v: Tensor, size: Tensor, on_label: Tensor, loss: LossConfig) -> Tensor:
    centre = (u - u.floor() - 0.5) ** 2 + (v - v.floor() - 0.5) ** 2
    symbol = loss.symbol + loss.module_centre * torch.exp(centre / (-2 * loss.module_sigma**2))
    near_u, near_v = torch.minimum(u, size - u) < 8, torch.minimum(v, size - v) < 8
    finder = near_u & near_v & ~((u > size / 2) & (v > size / 2))
    timing = ((u.floor() == 6) & (v < size)) | ((v.floor() == 6) & (u < size))
    symbol = torch.where(finder | timing, symbol * loss.function_patterns, symbol)
    on_symbol = (u > 0) & (v > 0) & (u < size) & (v < size)
    outside = torch.full_like(u, loss.surroundings), torch.full_like(u, loss.quiet_zone)
    return torch.where(on_symbol, symbol, torch.lerp(outside[0], outside[1], on_label))
