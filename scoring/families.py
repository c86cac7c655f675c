"""The families of degradation of the sweep, each from a symbol and its pixels per module to LR.

The degradation of every symbol of a family is drawn once and is the same at every number of pixels per module, which is
the axis of the sweep. Lengths of blur are in LR pixels, because the blur of a camera does not depend on the distance of
the symbol.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoring import degradations
from scoring.cases import Case, Optics, Pose
from scoring.degradations import Image
from scoring.scenes import Damage, Finder, Light, Look, Plane, Style
from scoring.surroundings import KINDS, Kind

_STYLES: tuple[Style, ...] = ("square", "dots", "tiles", "rounded")
_FINDERS: tuple[Finder, ...] = ("circle", "rounded", "square")


def _upright(rng: np.random.Generator) -> Pose:
    return Pose(phase=(float(rng.random()), float(rng.random())))


def _any_angle(rng: np.random.Generator, jitter: float) -> Pose:
    return Pose(
        angle=float(rng.uniform(0, 2 * np.pi)),
        jitter=tuple((float(x), float(y)) for x, y in rng.uniform(-jitter, jitter, (4, 2))),
        phase=(float(rng.random()), float(rng.random())),
    )


def _uneven(rng: np.random.Generator) -> Light:
    return Light(
        slope=(float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.5, 0.5))),
        shadow=(float(rng.uniform(0, 6.28)), float(rng.uniform(-0.3, 0.3)), float(rng.choice([0, 0, 0.4]))),
    )


def _contrast(rng: np.random.Generator) -> Look:
    return Look(dark=float(rng.uniform(0.03, 0.25)), light=float(rng.uniform(0.7, 0.97)))


def _camera(plane: Plane, sigma: float, quality: int, rng: np.random.Generator) -> Image:
    return degradations.jpeg(degradations.quantise(degradations.noise(plane, sigma, rng)), quality)


def _blurred(sigma: float) -> Optics:
    return lambda plane, scale, _rng: degradations.gaussian(plane, sigma * scale)


def _clean(rng: np.random.Generator) -> Case:
    return Case(pose=_upright(rng))


def _camera_like(rng: np.random.Generator) -> Case:
    """Any direction, some perspective, uneven light, optical blur, sensor noise, the camera's JPEG.

    The strength is set so that WeChat, without a generator, reads half of the symbols at about 1.45 px per module.
    """
    sigma, level, quality = (
        float(rng.uniform(0.4, 0.7)),
        float(rng.uniform(0.01, 0.03)),
        int(rng.integers(70, 96)),
    )
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.05),
        light=_uneven(rng),
        kind=_kind(rng),
        optics=_blurred(sigma),
        sensor=lambda plane, noise: _camera(plane, level, quality, noise),
    )


def _defocus(rng: np.random.Generator) -> Case:
    radius = float(rng.uniform(0.8, 1.4))
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=lambda plane, scale, _rng: degradations.defocus(plane, radius * scale),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _motion(rng: np.random.Generator) -> Case:
    length, angle = float(rng.uniform(1.2, 2.4)), float(rng.uniform(0, np.pi))
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=lambda plane, scale, _rng: degradations.motion(plane, length * scale, angle),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _noise(rng: np.random.Generator) -> Case:
    level = float(rng.uniform(0.05, 0.14))
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, level, 95, noise),
    )


def _low_light(rng: np.random.Generator) -> Case:
    photons = float(np.exp(rng.uniform(np.log(12), np.log(60))))
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.02),
        light=_uneven(rng),
        kind=_kind(rng),
        optics=_blurred(0.4),
        sensor=lambda plane, noise: degradations.jpeg(
            degradations.quantise(degradations.low_light(plane, photons, noise)), 80
        ),
    )


def _jpeg(quality: int) -> Callable[[np.random.Generator], Case]:
    def case(rng: np.random.Generator) -> Case:
        return Case(
            pose=_upright(rng),
            sensor=lambda plane, _: degradations.jpeg(degradations.quantise(plane), quality),
        )

    return case


def _double_jpeg(rng: np.random.Generator) -> Case:
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=_blurred(0.3),
        sent_larger=(
            float(rng.uniform(1.2, 2.5)),
            (int(rng.integers(60, 90)), int(rng.integers(30, 75))),
            (int(rng.integers(8)), int(rng.integers(8))),
        ),
    )


def _perspective(rng: np.random.Generator) -> Case:
    # One side is much nearer than the opposite side.
    near, pose = float(rng.uniform(0.08, 0.2)), _any_angle(rng, 0.03)
    tilt = np.array(pose.jitter) + np.array(
        [[near, near / 2], [-near, near / 2], [near / 2, 0], [-near / 2, 0]]
    )
    return Case(
        look=_contrast(rng),
        pose=replace(pose, jitter=tuple((float(x), float(y)) for x, y in tilt)),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _curved(rng: np.random.Generator) -> Case:
    return Case(
        look=_contrast(rng),
        pose=replace(_any_angle(rng, 0.02), half_angle=float(rng.uniform(0.4, 0.95))),
        light=_uneven(rng),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _moire(rng: np.random.Generator) -> Case:
    pitch, angle, depth = (
        float(rng.uniform(0.75, 1.8)),
        float(rng.normal(0, 0.15)),
        float(rng.uniform(0.5, 1.0)),
    )
    return Case(
        pose=replace(_any_angle(rng, 0.03), angle=angle),
        kind="dark",
        optics=lambda plane, scale, _rng: degradations.gaussian(
            degradations.screen(plane, pitch * scale, angle, depth), 0.25 * scale
        ),
        sensor=lambda plane, noise: _camera(degradations.sharpen(plane, 0.5), 0.01, 85, noise),
    )


def _print_scan(rng: np.random.Generator) -> Case:
    grain, amount, quality = (
        float(rng.uniform(0.03, 0.1)),
        float(rng.uniform(0.3, 1.2)),
        int(rng.integers(50, 85)),
    )
    angle = float(rng.normal(0, 0.03) + rng.integers(4) * np.pi / 2)
    spread = float(rng.uniform(0.02, 0.16) if rng.random() < 0.7 else rng.uniform(-0.14, -0.02))
    return Case(
        look=replace(_contrast(rng), spread=spread),
        pose=replace(_any_angle(rng, 0.0), angle=angle),
        optics=lambda plane, scale, noise: degradations.gaussian(
            degradations.paper_print(plane, grain, noise), 0.3 * scale
        ),
        sensor=lambda plane, noise: _camera(degradations.sharpen(plane, amount), 0.01, quality, noise),
    )


def _glare(rng: np.random.Generator) -> Case:
    x, y = rng.uniform(0.15, 0.85, 2)
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.03),
        light=Light(glare=(float(x), float(y), float(rng.uniform(0.06, 0.16)), float(rng.uniform(0.5, 1.1)))),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _dirt(rng: np.random.Generator) -> Case:
    damages = []
    if rng.random() < 0.5:
        side = float(rng.uniform(0.1, 0.2))
        damages.append(Damage("logo", 0.5, 0.5, side, side, float(rng.uniform(0, 1))))
    for _ in range(int(rng.integers(1, 4))):
        x, y, width, height = (
            float(value) for value in rng.uniform([0.2, 0.2, 0.02, 0.02], [0.8, 0.8, 0.1, 0.1])
        )
        damages.append(Damage("blot", x, y, width, height, float(rng.uniform(0, 1))))
    if rng.random() < 0.4:
        x, y, width, height = (
            float(value) for value in rng.uniform([0.1, 0.1, -0.4, -0.4], [0.9, 0.9, 0.4, 0.4])
        )
        damages.append(Damage("scratch", x, y, width, height, float(rng.uniform(0.5, 1))))
    return Case(
        look=replace(_contrast(rng), damages=tuple(damages)),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _tight(rng: np.random.Generator) -> Case:
    left, top, right, bottom = (float(value) for value in rng.choice([0.0, 0.5, 1.0], 4))
    return Case(
        look=replace(_contrast(rng), quiet=(left, top, right, bottom)),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _inverted(rng: np.random.Generator) -> Case:
    return Case(
        look=replace(_contrast(rng), inverted=True),
        pose=_any_angle(rng, 0.02),
        kind="dark",
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _dotted(rng: np.random.Generator) -> Case:
    return Case(
        look=replace(_contrast(rng), style="dots", dot=float(rng.uniform(0.38, 0.5))),
        pose=_any_angle(rng, 0.02),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _rounded(rng: np.random.Generator) -> Case:
    return Case(
        look=replace(_contrast(rng), style="rounded"),
        pose=_any_angle(rng, 0.02),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 90, noise),
    )


def _styled(rng: np.random.Generator) -> Case:
    """As designers draw symbols: round finders, dots or tiles, a gradient in brand colours, a logo in the middle."""
    light = float(rng.uniform(0.85, 1.0))
    pale = rng.random() < 0.3
    dark = light - float(rng.uniform(0.12, 0.35) if pale else rng.uniform(0.45, 0.9) * light)
    tint = rng.uniform(-0.3, 0.3, 2) if rng.random() < 0.5 else np.zeros(2)
    side = float(rng.uniform(0.12, 0.24))
    logo = Damage("logo", 0.5, 0.5, side, side, float(rng.uniform(0.7, 1)))
    sign = Damage("blot", 0.5, 0.5, 0.7 * side, 0.7 * side, float(rng.uniform(0, 0.6)))
    return Case(
        look=Look(
            dark=dark,
            light=light,
            style=_STYLES[rng.integers(len(_STYLES))],
            dot=float(rng.uniform(0.36, 0.5)),
            finder=_FINDERS[rng.integers(len(_FINDERS))],
            tint=(float(tint[0]), float(tint[1])),
            damages=(logo, sign) if rng.random() < 0.4 else (),
        ),
        pose=_any_angle(rng, 0.02),
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.01, 85, noise),
    )


def _extreme_light(rng: np.random.Generator) -> Case:
    """A symbol in a few hundredths of the range, or under a hard shadow or a patch of light; then JPEG."""
    kind = rng.integers(4)
    span = float(np.exp(rng.uniform(np.log(0.03), np.log(0.15))))
    black = float(rng.uniform(0, 0.05) if kind == 0 else 1 - span - rng.uniform(0, 0.05))
    x, y = (float(value) for value in rng.uniform(0.1, 0.5, 2))
    light = {
        0: Light(levels=(black, black + span)),
        1: Light(levels=(black, black + span)),
        2: Light(
            shadow=(
                float(rng.uniform(0, 6.28)),
                float(rng.uniform(-0.25, 0.25)),
                float(rng.uniform(0.6, 0.95)),
            ),
            edge=float(np.exp(rng.uniform(np.log(30), np.log(300)))),
        ),
        3: Light(
            patch=(x, y, x + 0.4, y + 0.4, float(rng.uniform(1.5, 3))),
            levels=(0.0, float(rng.uniform(0.4, 1))),
        ),
    }[int(kind)]
    return Case(
        look=_contrast(rng),
        pose=_any_angle(rng, 0.02),
        light=light,
        kind=_kind(rng),
        optics=_blurred(0.35),
        sensor=lambda plane, noise: _camera(plane, 0.004, 85, noise),
    )


def _kind(rng: np.random.Generator) -> Kind:
    return KINDS[rng.integers(len(KINDS))]


FAMILIES: dict[str, Callable[[np.random.Generator], Case]] = {
    "clean": _clean,
    "camera": _camera_like,
    "defocus": _defocus,
    "motion": _motion,
    "noise": _noise,
    "low-light": _low_light,
    "jpeg-10": _jpeg(10),
    "jpeg-30": _jpeg(30),
    "jpeg-50": _jpeg(50),
    "jpeg-90": _jpeg(90),
    "double-jpeg": _double_jpeg,
    "perspective": _perspective,
    "curved": _curved,
    "moire": _moire,
    "print-scan": _print_scan,
    "glare": _glare,
    "dirt": _dirt,
    "tight": _tight,
    "inverted": _inverted,
    "dotted": _dotted,
    "rounded": _rounded,
    "styled": _styled,
    "extreme-light": _extreme_light,
}
