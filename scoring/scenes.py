"""Pictures of symbols before any camera: label, place, surroundings, light. NumPy and OpenCV only.

Shares no code with the training data, so that mistakes of the training become visible. Planes are
`(H, W) float32`, 0 black to 1 white. Picture coordinates put the centre of the first pixel at (0.5, 0.5).
"""

from dataclasses import dataclass
from math import erf, sqrt
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from scoring.symbols import Symbol

Plane = NDArray[np.float32]
Matrix = NDArray[np.float64]
Style = Literal["square", "dots", "rounded", "tiles"]
Finder = Literal["square", "circle", "rounded"]
_BOW = 0.06
"""By how much of its side a symbol on a cylinder bows, at its edge if that were a quarter turn away."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something on the symbol. Coordinates and lengths are shares of its side."""

    kind: Literal["logo", "blot", "scratch"]
    x: float
    y: float
    width: float
    height: float
    """Height of the shape. For a scratch, `width` and `height` are the vector from one end to the other."""
    reflectance: float


@dataclass(frozen=True, slots=True)
class Look:
    """The print."""

    dark: float = 0.05
    light: float = 0.95
    """Reflectance of the label; `dark` is that of the print."""
    quiet: tuple[float, float, float, float] = (4, 4, 4, 4)
    """Modules of quiet zone: left, top, right, bottom."""
    inverted: bool = False
    style: Style = "square"
    dot: float = 0.45
    """Half width of a dot or tile in modules, for the styles `dots` and `tiles`."""
    finder: Finder = "square"
    """Shape of the finder patterns' frames and centres."""
    tint: tuple[float, float] = (0.0, 0.0)
    """Change of the ink's reflectance from the left to the right edge, and from top to bottom."""
    spread: float = 0.0
    """Modules by which an edge of ink is shifted outward; negative values shrink dark modules."""
    damages: tuple[Damage, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The position of the symbol: module coordinates to picture, then the bend of its label."""

    to_picture: Matrix
    """`(3, 3)`: (u, v, 1) in modules, 0 to n across the symbol, to picture pixels."""
    half_angle: float = 0.0
    """Radians of arc from the middle to the edge of a symbol on a cylinder with a vertical axis; 0 is
    flat."""


@dataclass(frozen=True, slots=True)
class Light:
    """Illumination over the picture; positions are shares of its sides."""

    slope: tuple[float, float] = (0.0, 0.0)
    """Relative change of the light from the left to the right edge, and from top to bottom."""
    shadow: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Direction in radians, offset from the middle, depth (0 none to 1 black) of a soft-edged shadow."""
    glare: tuple[float, float, float, float] = (0.5, 0.5, 0.1, 0.0)
    """x, y, radius and strength of a highlight."""
    edge: float = 12.0
    """Steepness of the shadow's edge, per side of the picture."""
    patch: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 1.0)
    """Left, top, right, bottom of a patch of light, and its factor."""
    levels: tuple[float, float] = (0.0, 1.0)
    """Luminances that black and white come out as."""


def corners_of(size: int, quiet: tuple[float, float, float, float] = (0, 0, 0, 0)) -> Matrix:
    """`(4, 2)` module coordinates of the corners, clockwise from the top left, `quiet` modules outside."""
    left, top, right, bottom = quiet
    return np.array(
        [[-left, -top], [size + right, -top], [size + right, size + bottom], [-left, size + bottom]], float
    )


def project(matrix: Matrix, points: Matrix) -> Matrix:
    """Points `(K, 2)` through a homography `(3, 3)`."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], np.float64)


def homography(source: Matrix, target: Matrix) -> Matrix:
    """The `(3, 3)` homography from four points `(4, 2)` to four others."""
    return np.asarray(
        cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)), np.float64
    )


def draw(
    symbol: Symbol, look: Look, place: Place, shape: tuple[int, int], surroundings: Plane, oversampling: int
) -> Plane:
    """Reflectance `shape` of the symbol's label on `surroundings` (of that shape), anti-aliased.

    Each pixel is the mean of `oversampling`² samples.
    """
    height, width = shape
    fine = (height * oversampling, width * oversampling)
    u, v = _module_coordinates(symbol.size, place, fine, oversampling)
    per_module = _samples_per_module(symbol.size, place) * oversampling
    raster, margins = _label(symbol, look, max(4, int(np.ceil(per_module))))
    k = raster.shape[1] / (symbol.size + margins[0] + margins[2])
    left, top, right, bottom = margins
    printed = cv2.remap(
        raster,
        (u + left) * np.float32(k) - np.float32(0.5),
        (v + top) * np.float32(k) - np.float32(0.5),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    on_label = (u >= -left) & (u <= symbol.size + right) & (v >= -top) & (v <= symbol.size + bottom)
    wide = cv2.resize(surroundings, (fine[1], fine[0]), interpolation=cv2.INTER_LINEAR)
    drawn = np.where(on_label, printed, wide).astype(np.float32)
    return reduce(drawn, (height, width))


def reduce(plane: Plane, shape: tuple[int, int]) -> Plane:
    """Mean over areas, to `shape`."""
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def illuminate(plane: Plane, light: Light) -> Plane:
    """Reflectance to luminance, clipped to [0, 1]."""
    height, width = plane.shape
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
    field = 1 + light.slope[0] * x + light.slope[1] * y
    angle, offset, depth = light.shadow
    if depth:
        across = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) - offset
        field = field * (1 - depth * np.clip(across * light.edge + 0.5, 0, 1))
    px0, py0, px1, py1, factor = light.patch
    if factor != 1:
        inside = (x + 0.5 >= px0) & (x + 0.5 <= px1) & (y + 0.5 >= py0) & (y + 0.5 <= py1)
        field = np.where(inside, field * factor, field)
    lit = plane * field
    gx, gy, radius, strength = light.glare
    if strength:
        lit = lit + strength * np.exp(-((x + 0.5 - gx) ** 2 + (y + 0.5 - gy) ** 2) / (2 * radius**2))
    black, white = light.levels
    return np.asarray(black + (white - black) * np.clip(lit, 0, 1), np.float32)


def _module_coordinates(
    size: int, place: Place, shape: tuple[int, int], oversampling: int
) -> tuple[Plane, Plane]:
    """Module coordinates (u, v) of every sample of a picture."""
    inverse = np.linalg.inv(place.to_picture)
    x = ((np.arange(shape[1]) + 0.5) / oversampling)[None, :]
    y = ((np.arange(shape[0]) + 0.5) / oversampling)[:, None]
    z = np.maximum(inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2], 1e-6)
    u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / z
    v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / z
    if place.half_angle:
        # A cylinder seen from the front: the arc for each distance from its middle line, and a slight bow of the lines
        # around it, as for a camera that looks down.
        radius = size / 2 / place.half_angle
        ratio = np.clip((u - size / 2) / radius, -0.999, 0.999)
        v = v + _BOW * size * (1 - np.sqrt(1 - ratio**2))
        u = size / 2 + radius * np.arcsin(ratio)
    return u.astype(np.float32), v.astype(np.float32)


def unbent(points: Matrix, size: int, half_angle: float) -> Matrix:
    """Module coordinates `(K, 2)` to those before the bend of the label, which `Place.to_picture` takes.

    The inverse of what `draw` does to each sample of a picture.
    """
    if not half_angle:
        return points
    radius = size / 2 / half_angle
    ratio = np.sin((points[:, 0] - size / 2) / radius)
    flat = points[:, 1] - _BOW * size * (1 - np.sqrt(1 - ratio**2))
    return np.column_stack([size / 2 + radius * ratio, flat])


def _samples_per_module(size: int, place: Place) -> float:
    corners = project(place.to_picture, corners_of(size))
    return float(np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1).max()) / size


def _label(symbol: Symbol, look: Look, k: int) -> tuple[Plane, tuple[float, float, float, float]]:
    """The label's reflectance at k pixels per module, and its quiet zone rounded to those pixels."""
    dark = _ink(symbol, look, k)
    left, top, right, bottom = (round(modules * k) for modules in look.quiet)
    ink = np.pad(dark, ((top, bottom), (left, right)))
    if look.inverted:
        ink = 1 - ink
    side = symbol.size * k
    raster = (look.light - (look.light - _ink_reflectance(look, ink.shape, left, top, side)) * ink).astype(
        np.float32
    )
    for damage in look.damages:
        _damage(raster, damage, left, top, side)
    return raster, (left / k, top / k, right / k, bottom / k)


def _ink_reflectance(look: Look, shape: tuple[int, ...], left: int, top: int, side: int) -> Plane | float:
    """Reflectance of the ink at each pixel of the raster; never closer to the label than half the contrast."""
    if look.tint == (0.0, 0.0):
        return look.dark
    across = (np.arange(shape[1], dtype=np.float32) - left) / side - 0.5
    down = (np.arange(shape[0], dtype=np.float32) - top) / side - 0.5
    tinted = look.dark + look.tint[0] * across[None, :] + look.tint[1] * down[:, None]
    return np.clip(tinted, 0, (look.light + look.dark) / 2).astype(np.float32)


def _ink(symbol: Symbol, look: Look, k: int) -> Plane:
    """Ink of the symbol itself, 0 to 1, `(n k, n k)`."""
    cell = np.ones((k, k), np.float32)
    square = np.kron(symbol.modules, cell).astype(np.float32)
    ink = square
    if look.style == "dots":
        axis = (np.arange(k, dtype=np.float32) + 0.5) / k - 0.5
        distance = np.hypot(axis[None, :], axis[:, None])
        ink = np.kron(symbol.modules, np.clip((look.dot - distance) * k + 0.5, 0, 1)).astype(np.float32)
        finders = np.kron(_finder_mask(symbol.size), cell)
        # Designers keep the finder patterns whole.
        ink = np.where(finders > 0, square, ink).astype(np.float32)
    if look.style == "tiles":
        margin = max(1, round((0.5 - look.dot) * k))
        tile = np.zeros((k, k), np.float32)
        tile[margin : k - margin, margin : k - margin] = 1
        finders = np.kron(_finder_mask(symbol.size), cell)
        ink = np.where(finders > 0, square, np.kron(symbol.modules, tile)).astype(np.float32)
    if look.finder != "square":
        _draw_finders(ink, look.finder, symbol.size, k)
    if look.style == "rounded" or look.spread:
        sigma = (0.28 if look.style == "rounded" else 0.15) * k
        soft = cv2.GaussianBlur(np.pad(ink, k), (0, 0), sigma)
        # At a straight edge, the blurred ink falls like a normal distribution; the threshold moves the edge.
        soft = soft - np.float32(_normal_cdf(-look.spread * k / sigma))
        ink = np.clip(soft * np.float32(2.5 * sigma) + 0.5, 0, 1)[k:-k, k:-k].astype(np.float32)
    return ink


def _normal_cdf(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def _finder_mask(size: int) -> NDArray[np.uint8]:
    mask = np.zeros((size, size), np.uint8)
    mask[:7, :7] = mask[:7, -7:] = mask[-7:, :7] = 1
    return mask


def _draw_finders(ink: Plane, shape: Finder, size: int, k: int) -> None:
    """Draw the three finder patterns anew: the frame, its light inside, the centre."""
    for row, column in ((0, 0), (0, size - 7), (size - 7, 0)):
        ink[row * k : (row + 7) * k, column * k : (column + 7) * k] = 0
        for first, last, colour in ((0, 7, 1.0), (1, 6, 0.0), (2, 5, 1.0)):
            low = np.array([column + first, row + first]) * k
            high = np.array([column + last, row + last]) * k - 1
            _filled(ink, low, high, colour, shape)


def _filled(
    ink: Plane, low: NDArray[np.int64], high: NDArray[np.int64], colour: float, shape: Finder
) -> None:
    """A disc, or a square with round corners, from the pixel `low` to `high`, both inside."""
    side = int(high[0] - low[0]) + 1
    radius = side // 2 if shape == "circle" else side // 4
    if shape == "circle":
        centre = (int(low[0]) + side // 2, int(low[1]) + side // 2)
        cv2.circle(ink, centre, radius, colour, -1, cv2.LINE_8)
        return
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    cv2.rectangle(ink, (x0 + radius, y0), (x1 - radius, y1), colour, -1)
    cv2.rectangle(ink, (x0, y0 + radius), (x1, y1 - radius), colour, -1)
    for x in (x0 + radius, x1 - radius):
        for y in (y0 + radius, y1 - radius):
            cv2.circle(ink, (x, y), radius, colour, -1, cv2.LINE_8)


def _damage(raster: Plane, damage: Damage, left: int, top: int, side: int) -> None:
    x, y = left + damage.x * side, top + damage.y * side
    w, h = damage.width * side, damage.height * side
    colour = float(damage.reflectance)
    if damage.kind == "logo":
        corner = (round(x - w / 2), round(y - h / 2)), (round(x + w / 2), round(y + h / 2))
        cv2.rectangle(raster, *corner, colour, -1)
    elif damage.kind == "blot":
        axes = (max(1, round(w / 2)), max(1, round(h / 2)))
        cv2.ellipse(raster, (round(x), round(y)), axes, 0, 0, 360, colour, -1, cv2.LINE_8)
    else:
        width = max(1, round(0.012 * side))
        cv2.line(raster, (round(x), round(y)), (round(x + w), round(y + h)), colour, width, cv2.LINE_8)
