"""Simulated generator output: the logits of a symbol at an exactly known position.

Tests and benchmarks of the soft-decision reader need logits with a known grid that are as soft and as wrong as those of
a generator near the wall, without a generator. A symbol is drawn, blurred by a fraction of a module, placed with a
homography after an optional bend, and disturbed by noise that is correlated over about a module.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from scoring.known_symbols import Simulated
from service.decoding.soft.pictures import bilinear

FloatArray = NDArray[np.float32]
_OVERSAMPLING = 8
"""Pixels per module of the drawing that is warped."""
_MARGIN = 9
"""Modules drawn around the symbol."""


@dataclass(frozen=True)
class Scene:
    """The appearance of a simulated symbol. Lengths are in pixels of the logits unless stated otherwise."""

    module: float = 5.0
    """Mean width of a module; four times the pixels per module of the low-resolution picture."""
    rotation: float = 0.0
    """Degrees, clockwise (y points down)."""
    perspective: float = 0.0
    """Relative change of scale from one side of the symbol to the other, along a random direction."""
    bend: float = 0.0
    """Largest displacement of a module by curvature, in modules; 0 is flat."""
    mirrored: bool = False
    inverted: bool = False
    quiet: float = 4.0
    """Modules of quiet zone, inside of the surroundings."""
    busy: bool = False
    """Random blocks and lines as surroundings, instead of plain ones."""
    margin: float = 30.0
    """From the outermost corner of the symbol to the edge of the picture."""
    blur: float = 0.4
    """Standard deviation in modules."""
    noise: float = 0.15
    """Standard deviation of the noise as a share of the amplitude between certain dark and certain light."""
    gain: float = 6.0
    """The logit of a certain module."""


def symbol_modules(
    payload: bytes | str, version: int, level: str = "M", mask: int | None = None
) -> NDArray[np.bool_]:
    """The modules `(n, n)` of a symbol made by segno, True for dark."""
    symbol = segno.make(payload, version=version, error=level, mask=mask, micro=False, boost_error=False)
    return np.array([list(row) for row in symbol.matrix], dtype=bool)


def simulate(modules: NDArray[np.bool_], scene: Scene, rng: np.random.Generator) -> Simulated:
    """Draw one symbol as `scene` says; the same `rng` state gives the same picture."""
    n = len(modules)
    shown = modules.T if scene.mirrored else modules
    homography = _homography(n, scene, rng)
    corners = _project(homography, np.array([[0.0, 0.0], [n, 0.0], [n, n], [0.0, n]]))
    homography = _translation(*(scene.margin - corners.min(axis=0))) @ homography
    width, height = (np.ceil(np.ptp(corners, axis=0) + 2 * scene.margin)).astype(int)

    direction = rng.uniform(0, 2 * np.pi)
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    flat = _project(np.asarray(np.linalg.inv(homography)), pixels)
    source = flat + _bend(flat, n, scene.bend, direction)
    drawing = _drawing(shown, scene, rng)
    position = ((source + _MARGIN) * _OVERSAMPLING - 0.5).astype(np.float32)
    signal = np.asarray(
        cv2.remap(
            drawing,
            position[..., 0],
            position[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )

    noise = rng.standard_normal(signal.shape).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.45 * scene.module), np.float32)
    signal = signal + scene.noise * noise / max(float(noise.std()), 1e-6)
    logits = scene.gain * signal * (-1 if scene.inverted else 1)

    centres = np.stack(np.meshgrid(np.arange(n) + 0.5, np.arange(n) + 0.5), axis=-1)
    unbent = centres.copy()
    for _ in range(30):  # The bend maps picture to symbol; its inverse is a fixed point.
        unbent = centres - _bend(unbent, n, scene.bend, direction)
    placed = _project(homography, unbent)
    return Simulated(
        logits.astype(np.float32), modules, placed.transpose(1, 0, 2) if scene.mirrored else placed
    )


def module_errors(simulated: Simulated, inverted: bool = False) -> float:
    """Share of modules whose sign is wrong at the true centre."""
    sampled = bilinear(simulated.logits, simulated.centres)
    return float(np.mean(((sampled < 0) != inverted) != simulated.modules))


def _homography(n: int, scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """From module coordinates to pixels, before the shift that puts the symbol into the picture."""
    angle = np.deg2rad(scene.rotation)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    towards = rng.uniform(0, 2 * np.pi)
    tilt = np.eye(3)
    # The scale is 1 / (1 + p.u) along p (isotropic to first order without the shear).
    tilt[2, :2] = scene.perspective / n * np.array([np.cos(towards), np.sin(towards)])
    scale = np.diag([scene.module, scene.module, 1.0])
    return np.asarray(turn @ scale @ tilt @ _translation(-n / 2, -n / 2))


def _bend(at: NDArray[np.float64], n: int, size: float, direction: float) -> NDArray[np.float64]:
    """Displacement in modules: a bow across `direction` and a cylinder's compression along it."""
    if size == 0:
        return np.zeros_like(at)
    along = np.array([np.cos(direction), np.sin(direction)])
    across = np.array([-along[1], along[0]])
    t = np.clip((at - n / 2) @ along / (n / 2), -1.6, 1.6)
    bow = size * (1 - t**2)
    squeeze = 0.5 * size * (t**3 - t)
    return np.asarray(bow[..., None] * across + squeeze[..., None] * along)


def _drawing(shown: NDArray[np.bool_], scene: Scene, rng: np.random.Generator) -> FloatArray:
    """The symbol and its surroundings, +1 light and -1 dark, blurred."""
    n = len(shown)
    side = (n + 2 * _MARGIN) * _OVERSAMPLING
    canvas = np.ones((side, side), np.float32)
    if scene.busy:
        for _ in range(12 * _MARGIN):
            x, y = rng.integers(0, side, 2).tolist()
            w, h = (rng.uniform(0.5, 6, 2) * _OVERSAMPLING).astype(int).tolist()
            cv2.rectangle(canvas, (x, y), (x + w, y + h), float(rng.choice([-1, -1, 0.3, 1])), -1)
    inner = round((_MARGIN - scene.quiet) * _OVERSAMPLING)
    canvas[inner : side - inner, inner : side - inner] = 1
    block = np.kron(np.where(shown, -1, 1), np.ones((_OVERSAMPLING, _OVERSAMPLING))).astype(np.float32)
    start = _MARGIN * _OVERSAMPLING
    canvas[start : start + len(block), start : start + len(block)] = block
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), scene.blur * _OVERSAMPLING), np.float32)


def _translation(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _project(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    mapped = points @ homography[:, :2].T + homography[:, 2]
    result: NDArray[np.float64] = mapped[..., :2] / mapped[..., 2:]
    return result
