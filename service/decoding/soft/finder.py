"""Finder-pattern candidates: position, size and orientation.

Two stages. A ring, the finder pattern of ISO/IEC 18004:2015, 6.3.3 averaged over all rotations, is correlated
with the picture at several scales. It responds to any rotation, and with the opposite sign to a pattern that is light
on dark. Then an affine fit of the true pattern to every peak (Gauss–Newton on six parameters, all candidates at once)
gives centre and module axes to a small fraction of a module.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.pictures import bilinear

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]

SMALLEST_MODULE = 3.4
"""Pixels of the upscaled picture: 0.85 pixels per module before upscaling, below which nothing is readable."""
_SCALES_PER_OCTAVE = 4
_REACH = 4.5
"""Half the width of the template in modules: the pattern and its separator."""
_STEP = 0.5
"""Modules between the points at which the affine template is compared."""
_RING_THRESHOLD = 0.33
_FIT_THRESHOLD = 0.42
_MOST_PEAKS = 48
_REFINEMENTS = 6


@dataclass(frozen=True)
class Finders:
    """`k` finder candidates, best first."""

    centres: DoubleArray
    """`(k, 2)` x, y in pixels; the centre of the first pixel is (0, 0)."""
    axes: DoubleArray
    """`(k, 2, 2)`; `axes[i] @ (a, b)` is the offset in pixels of a and b modules along the pattern's own sides.

    Which side comes first is arbitrary: the pattern looks the same after a quarter turn.
    """
    scores: DoubleArray
    """`(k,)` correlation with the ideal pattern, at most 1."""
    signs: DoubleArray
    """`(k,)`: +1 for dark on light, -1 for light on dark."""

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "Finders":
        """The candidates that an index or mask selects."""
        return Finders(self.centres[index], self.axes[index], self.scores[index], self.signs[index])


def find_finders(darkness: FloatArray, most: int = 14) -> Finders:
    """Up to `most` candidates of either polarity in `darkness` `(H, W) float32`, -1 (light) to +1 (dark)."""
    found = [part for part in _candidates(darkness) if len(part)]
    if not found:
        return Finders(np.zeros((0, 2)), np.zeros((0, 2, 2)), np.zeros(0), np.zeros(0))
    finders = Finders(
        np.concatenate([part.centres for part in found]),
        np.concatenate([part.axes for part in found]),
        np.concatenate([part.scores for part in found]),
        np.concatenate([part.signs for part in found]),
    )
    finders = finders.take(np.argsort(-finders.scores))
    sizes = np.sqrt(np.abs(np.linalg.det(finders.axes)))
    return finders.take(_suppressed(finders.centres, sizes, distance=3.0)[:most])


def _candidates(darkness: FloatArray) -> list[Finders]:
    """Candidates of every octave."""
    octaves: list[Finders] = []
    fine = darkness
    scale = 1.0
    while min(fine.shape) / 2 >= 7 * SMALLEST_MODULE / 2:
        coarse = _halved(fine)
        peaks = _ring_peaks(coarse)
        if len(peaks):
            # Fit one level finer, where a module is 3.4 to 6.8 pixels wide.
            peaks[:, :2] = peaks[:, :2] * 2 + 0.5
            peaks[:, 2] *= 2
            part = _fit(fine, peaks)
            octaves.append(
                Finders(part.centres * scale + (scale - 1) / 2, part.axes * scale, part.scores, part.signs)
            )
        fine, scale = coarse, scale * 2
    return octaves


def _halved(picture: FloatArray) -> FloatArray:
    half = (picture.shape[1] // 2, picture.shape[0] // 2)
    return np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _ring_peaks(picture: FloatArray) -> DoubleArray:
    """`(k, 4)`: x, y, module width in pixels and signed correlation of the ring's extremes, strongest
    first."""
    rows: list[DoubleArray] = []
    for step in range(_SCALES_PER_OCTAVE):
        module = SMALLEST_MODULE / 2 * 2 ** (step / _SCALES_PER_OCTAVE)
        ring = _ring(module)
        half = len(ring) // 2
        # Neutral padding, because a symbol may touch the edge of the picture.
        padded = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_CONSTANT, value=0)
        response = np.asarray(cv2.matchTemplate(padded, ring, cv2.TM_CCORR), np.float32)
        mean = cv2.blur(padded, ring.shape)[half:-half, half:-half]
        square = cv2.sqrBoxFilter(padded, cv2.CV_32F, ring.shape)[half:-half, half:-half]
        spread = np.maximum(square - mean * mean, 0)
        # The constant suppresses flat regions, which are only noise.
        spread += 0.02
        spread *= ring.size
        np.divide(response, np.sqrt(spread, out=spread), out=response)
        width = 2 * round(1.5 * module) + 1
        strength = np.abs(response)
        highest = cv2.dilate(strength, np.ones((width, width), np.uint8))
        y, x = np.nonzero(strength > _RING_THRESHOLD)
        top = highest[y, x] == strength[y, x]
        y, x = y[top], x[top]
        rows.append(np.column_stack([x, y, np.full(len(x), module), response[y, x]]))
    peaks: DoubleArray = np.concatenate(rows)
    peaks = peaks[np.argsort(-np.abs(peaks[:, 3]))][: 4 * _MOST_PEAKS]
    return peaks[_suppressed(peaks[:, :2], peaks[:, 2], distance=2.0)[:_MOST_PEAKS]]


def _suppressed(centres: DoubleArray, sizes: DoubleArray, distance: float) -> NDArray[np.intp]:
    """Indices of the points (given best first) that are at least `distance` modules from every better one kept."""
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    near = apart < distance * np.sqrt(sizes[:, None] * sizes[None])
    kept: list[int] = []
    for i in range(len(centres)):
        if not near[i, kept].any():
            kept.append(i)
    return np.array(kept, dtype=np.intp)


def _fit(picture: FloatArray, peaks: DoubleArray) -> Finders:
    """Affine frames of the peaks, by Gauss–Newton on the pattern, without those that fit badly."""
    pattern, weight, inverse, steepest, points = _template()
    signs = np.sign(peaks[:, 3])
    centres = peaks[:, :2].copy()
    axes = _best_turn(picture, centres, peaks[:, 2], signs)
    energy = float(np.sum(weight * pattern * pattern))
    for _ in range(_REFINEMENTS):
        seen = _sampled(picture, centres, axes, points) * signs[:, None]
        seen -= (seen @ weight / weight.sum())[:, None]
        gain = np.clip(seen @ (weight * pattern) / energy, 0.2, None)
        step = (pattern - seen / gain[:, None]) @ steepest.T @ inverse.T
        step = np.clip(step, -0.6, 0.6)
        centres += np.einsum("kij,kj->ki", axes, step[:, :2])
        change = step[:, 2:].reshape(-1, 2, 2)
        axes = axes + axes @ np.clip(change, -0.2, 0.2)
    seen = _sampled(picture, centres, axes, points) * signs[:, None]
    seen -= (seen @ weight / weight.sum())[:, None]
    spread = np.sqrt(np.maximum((seen * seen) @ weight, 1e-9) + 0.01 * weight.sum())
    scores = seen @ (weight * pattern) / (spread * np.sqrt(energy))
    singular = np.linalg.svd(axes, compute_uv=False)
    sound = (singular[:, 1] > 0.45 * singular[:, 0]) & (singular[:, 1] > 0.6 * SMALLEST_MODULE)
    sound &= (scores > _FIT_THRESHOLD) & (np.linalg.norm(centres - peaks[:, :2], axis=1) < 3 * peaks[:, 2])
    return Finders(centres[sound], axes[sound], scores[sound], signs[sound])


def _best_turn(
    picture: FloatArray, centres: DoubleArray, modules: DoubleArray, signs: DoubleArray
) -> DoubleArray:
    """`(k, 2, 2)` axes: the best of four orientations within a quarter turn."""
    pattern, weight, _, _, points = _template()
    angles = np.deg2rad([0.0, 22.5, 45.0, 67.5])
    turns = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], axis=-1).reshape(
        -1, 2, 2
    )
    axes = modules[:, None, None, None] * turns
    spread = np.repeat(centres, len(angles), axis=0)
    seen = _sampled(picture, spread, axes.reshape(-1, 2, 2), points).reshape(len(centres), len(angles), -1)
    best = np.argmax((seen @ (weight * pattern)) * signs[:, None], axis=1)
    chosen: DoubleArray = axes[np.arange(len(centres)), best]
    return chosen


def _sampled(
    picture: FloatArray, centres: DoubleArray, axes: DoubleArray, points: DoubleArray
) -> DoubleArray:
    """`(k, p)` values of the picture at the template's points, 0 outside."""
    at = centres[:, None, :] + points @ axes.transpose(0, 2, 1)
    return bilinear(picture, at).astype(np.float64)


def _profile(distance: DoubleArray) -> DoubleArray:
    """The finder pattern as a function of the Chebyshev distance from its centre in modules, +1 dark."""
    dark = (distance < 1.5) | ((distance >= 2.5) & (distance < 3.5))
    return np.where(dark, 1.0, -1.0)


@lru_cache(maxsize=_SCALES_PER_OCTAVE)
def _ring(module: float) -> FloatArray:
    """The pattern averaged over all rotations, odd square of side about nine modules, zero mean, unit
    norm."""
    half = int(np.ceil(_REACH * module))
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / module
    radius = np.hypot(x, y)
    angle = np.linspace(0, np.pi / 4, 33)
    ring = _profile(radius[..., None] * np.cos(angle)).mean(axis=-1)
    inside = radius < _REACH
    ring = np.asarray(cv2.GaussianBlur(np.where(inside, ring, -1.0), (0, 0), 0.35 * module))
    ring = np.where(inside, ring - ring[inside].mean(), 0.0)
    return np.asarray(ring / np.linalg.norm(ring), dtype=np.float32)


@lru_cache(maxsize=1)
def _template() -> tuple[DoubleArray, DoubleArray, DoubleArray, DoubleArray, DoubleArray]:
    """Pattern `(p,)` of zero weighted mean, weights, inverse Hessian `(6, 6)`, steepest ascent `(6, p)`,
    points."""
    fine = 16
    axis = (np.arange(int(2 * (_REACH + 1) * fine)) + 0.5) / fine - (_REACH + 1)
    picture = _profile(np.maximum(np.abs(axis[:, None]), np.abs(axis[None, :])))
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 * fine))
    slope_x = cv2.Sobel(picture, cv2.CV_64F, 1, 0, ksize=1) * fine / 2
    slope_y = cv2.Sobel(picture, cv2.CV_64F, 0, 1, ksize=1) * fine / 2
    along = np.arange(-_REACH + _STEP / 2, _REACH, _STEP)
    x, y = (part.ravel() for part in np.meshgrid(along, along))
    index = tuple(np.rint((part + _REACH + 1) * fine - 0.5).astype(int) for part in (y, x))
    # Outside the two inner sides of the separator may be anything if the quiet zone is missing.
    weight = np.where(np.maximum(np.abs(x), np.abs(y)) < 3.75, 1.0, 0.4)
    pattern = picture[index]
    pattern = pattern - (pattern @ weight) / weight.sum()
    gx, gy = slope_x[index], slope_y[index]
    jacobian = np.stack([gx, gy, gx * x, gx * y, gy * x, gy * y])
    hessian = (jacobian * weight) @ jacobian.T
    return pattern, weight, np.linalg.inv(hessian), jacobian * weight, np.column_stack([x, y])
