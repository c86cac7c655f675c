"""The recipe of the set that replaces the paper's own, which is not public.

An HR picture is a phone's 512x512 view of one symbol. An LR picture is its reduction by four (mean over areas) as a
JPEG of quality 10. `RECIPE` was set once, so that WeChat alone reads about as much of both as in the paper (.86 of HR,
.69 of LR), and frozen before any generator was judged on the set. `frozen_paper_set.json` has the CRC-32 of every
picture's pixels.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from tqdm import tqdm

from benchmark.comparison.arms import Arm, Image, fingerprint
from scoring import degradations
from scoring.scenes import (
    Damage,
    Light,
    Look,
    Place,
    Plane,
    corners_of,
    draw,
    homography,
    illuminate,
    project,
    reduce,
)
from scoring.surroundings import KINDS, draw_surroundings
from scoring.symbols import Symbol, draw_symbol

HR_SIZE, LR_SIZE, LR_QUALITY = 512, 128, 10
SIZE = 1000
FROZEN_SEED = 0
FROZEN = Path(__file__).with_name("frozen_paper_set.json")
_STREAM = 0x9A9E


@dataclass(frozen=True, slots=True)
class Recipe:
    """The mix. Shares are probabilities; `fill` and `severity` were set with WeChat."""

    version_weights: tuple[float, ...] = (22, 26, 20, 13, 7, 5, 3, 2, 1, 1)
    """Weights of versions 1 to 10."""
    fill: tuple[float, float] = (0.7, 1.0)
    """Side of the symbol with its quiet zone, as a share of the picture's side; uniform."""
    severity: float = 0.6
    """Factor on blur, noise, glare and damage."""
    upright: float = 0.7
    """Share of symbols turned by a few degrees at most; the others have any angle."""
    perspective: float = 0.06
    """Largest shift of a corner, as a share of the side."""
    tight: float = 0.12
    """Share of symbols with a quiet zone of 0 to 2 modules on each side."""
    inverted: float = 0.04
    rounded: float = 0.08
    dotted: float = 0.03
    damaged: float = 0.2
    uneven: float = 0.5
    shadow: float = 0.15
    glare: float = 0.12
    motion: float = 0.2
    dim: float = 0.1
    """Share of pictures in low light."""
    contrast: tuple[float, float] = (0.5, 0.95)
    """Reflectance of light modules minus that of dark ones."""


RECIPE = Recipe()


@dataclass(frozen=True, slots=True)
class PaperItem:
    """One symbol of the set."""

    index: int
    seed: int
    arms: tuple[Arm, ...] = ()
    recipe: Recipe = RECIPE

    @property
    def name(self) -> str:
        """For example `paper-0017`."""
        return f"paper-{self.index:04d}"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        """The same symbol for other arms."""
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """`hr` (512, 512) and `lr` (128, 128), and the payload."""
        rng = np.random.default_rng([_STREAM, self.seed, self.index])
        weights = np.array(self.recipe.version_weights)
        version = 1 + int(rng.choice(len(weights), p=weights / weights.sum()))
        symbol = draw_symbol(version, rng)
        hr = _photograph(symbol, self.recipe, rng)
        return {"hr": hr, "lr": lr_of(hr)}, (symbol.payload,)


def lr_of(hr: Image) -> Image:
    """The LR picture `(128, 128)` of an HR picture `(512, 512)`."""
    small = reduce((hr / np.float32(255)).astype(np.float32), (LR_SIZE, LR_SIZE))
    return degradations.jpeg(degradations.quantise(small), LR_QUALITY)


def paper_items(count: int, seed: int, arms: tuple[Arm, ...], recipe: Recipe = RECIPE) -> list[PaperItem]:
    """The first `count` symbols of the set of that seed; the frozen set has seed 0."""
    return [PaperItem(index, seed, arms, recipe) for index in range(count)]


def frozen_fingerprints() -> list[int]:
    """`arms.fingerprint` of every symbol of the frozen set."""
    return [int(value, 16) for value in json.loads(FROZEN.read_text())["crc32"]]


def departures(fingerprints: list[int]) -> int:
    """How many of the first symbols differ from those of the frozen set.

    None do if NumPy, OpenCV and segno draw as when the set was frozen. Symbols beyond the frozen ones count as
    different.
    """
    frozen = frozen_fingerprints()
    return sum(i >= len(frozen) or value != frozen[i] for i, value in enumerate(fingerprints))


def freeze() -> None:
    """Write `FROZEN`. Done once.

    Raises:
        FileExistsError: it has been done.
    """
    crcs = [f"{fingerprint(item.draw()[0]):08x}" for item in tqdm(paper_items(SIZE, FROZEN_SEED, ()))]
    recipe = {name: getattr(RECIPE, name) for name in RECIPE.__dataclass_fields__}
    with FROZEN.open("x") as stream:
        stream.write(json.dumps({"recipe": recipe, "crc32": crcs}, indent=0) + "\n")


def _photograph(symbol: Symbol, recipe: Recipe, rng: np.random.Generator) -> Image:
    look = _look(recipe, rng)
    place = _place(symbol, look, recipe, rng)
    kind = KINDS[rng.integers(len(KINDS))]
    surroundings = draw_surroundings(kind, (HR_SIZE, HR_SIZE), rng)
    scene = draw(symbol, look, place, (HR_SIZE, HR_SIZE), surroundings, 2)
    return _taken(illuminate(scene, _light(recipe, rng)), recipe, rng)


def _look(recipe: Recipe, rng: np.random.Generator) -> Look:
    light = float(rng.uniform(0.55, 1.0))
    dark = max(0.02, light - float(rng.uniform(*recipe.contrast)))
    quiet = rng.choice([0.0, 1.0, 2.0], 4) if rng.random() < recipe.tight else np.full(4, 4.0)
    style = rng.random()
    left, top, right, bottom = (float(side) for side in quiet)
    return Look(
        dark=dark,
        light=light,
        quiet=(left, top, right, bottom),
        inverted=bool(rng.random() < recipe.inverted),
        style="dots"
        if style < recipe.dotted
        else "rounded"
        if style < recipe.dotted + recipe.rounded
        else "square",
        dot=float(rng.uniform(0.4, 0.5)),
        spread=float(rng.normal(0, 0.06)),
        damages=_damages(recipe, rng),
    )


def _damages(recipe: Recipe, rng: np.random.Generator) -> tuple[Damage, ...]:
    if rng.random() >= recipe.damaged:
        return ()
    size = 0.12 * recipe.severity
    kind = rng.random()
    x, y = (float(value) for value in rng.uniform(0.1, 0.9, 2))
    if kind < 0.3:
        return (Damage("logo", 0.5, 0.5, 1.5 * size, 1.5 * size, float(rng.uniform(0, 1))),)
    if kind < 0.6:
        dx, dy = (float(value) for value in rng.uniform(-0.5, 0.5, 2))
        return (Damage("scratch", x, y, dx, dy, float(rng.uniform(0.4, 1))),)
    width, height = (float(value) for value in rng.uniform(0.3, 1.6, 2) * size)
    return (Damage("blot", x, y, width, height, float(rng.uniform(0, 1))),)


def _place(symbol: Symbol, look: Look, recipe: Recipe, rng: np.random.Generator) -> Place:
    corners = corners_of(symbol.size)
    turned = corners - corners.mean(axis=0)
    turned += rng.uniform(-recipe.perspective, recipe.perspective, (4, 2)) * symbol.size
    angle = rng.normal(0, 0.06) if rng.random() < recipe.upright else rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = turned @ np.array([[cos, sin], [-sin, cos]])
    outline = project(homography(corners, turned), corners_of(symbol.size, look.quiet))
    # Wide enough that nothing is cut; then scaled to the size of the recipe.
    extent = outline.max(axis=0) - outline.min(axis=0)
    side = float(rng.uniform(*recipe.fill)) * HR_SIZE
    scale = min(side / (symbol.size + 8), (HR_SIZE - 4) / float(extent.max()))
    low, high = outline.min(axis=0) * scale, outline.max(axis=0) * scale
    offset = rng.uniform(0, 1, 2) * (HR_SIZE - (high - low)) - low
    return Place(homography(corners, turned * scale + offset))


def _light(recipe: Recipe, rng: np.random.Generator) -> Light:
    slope = rng.uniform(-0.6, 0.6, 2) * (rng.random() < recipe.uneven)
    depth = rng.uniform(0.2, 0.7) * (rng.random() < recipe.shadow)
    glare = rng.uniform(0.3, 1.0) * (rng.random() < recipe.glare) * recipe.severity
    return Light(
        slope=(float(slope[0]), float(slope[1])),
        shadow=(float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(-0.3, 0.3)), float(depth)),
        glare=(
            float(rng.uniform(0.1, 0.9)),
            float(rng.uniform(0.1, 0.9)),
            float(rng.uniform(0.05, 0.2)),
            float(glare),
        ),
    )


def _taken(scene: Plane, recipe: Recipe, rng: np.random.Generator) -> Image:
    """The effects of lens, sensor and phone."""
    blurred = degradations.gaussian(scene, float(rng.gamma(2.0, 0.8)) * recipe.severity)
    length, angle = float(rng.uniform(2, 14)) * recipe.severity, float(rng.uniform(0, np.pi))
    if rng.random() < recipe.motion:
        blurred = degradations.motion(blurred, length, angle)
    if rng.random() < recipe.dim:
        photons = float(np.exp(rng.uniform(np.log(10), np.log(80))))
        exposed = degradations.low_light(blurred, photons / recipe.severity, rng)
    else:
        exposed = degradations.noise(blurred, float(rng.uniform(0.003, 0.04)) * recipe.severity, rng)
    return degradations.jpeg(degradations.quantise(exposed), int(rng.integers(80, 97)))
