"""Finder patterns put together to symbols: three that stand at right angles, or two and a guess at the third."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.finder import Finders

DoubleArray = NDArray[np.float64]

_LONGEST_SPAN = 177 - 7 + 20
_SHORTEST_SPAN = 11.5
"""Modules between two finder centres; 14 in version 1, the rest is for bad estimates."""
_PENALTY_OF_A_GUESS = 0.2


@dataclass(frozen=True)
class Constellation:
    """Three places of finder patterns: 0 at the corner they share, 1 along x from it, 2 along y.

    x and y turn the way of a symbol that is not mirrored; a mirrored one appears transposed.
    """

    centres: DoubleArray
    """`(3, 2)` x, y in pixels."""
    axes: DoubleArray
    """`(3, 2, 2)`; `axes[i] @ (a, b)` are a modules along the symbol's x and b along its y at pattern i, in pixels."""
    seen: NDArray[np.bool_]
    """`(3,)`: False for the one that was guessed from the other two."""
    sign: float
    """+1 for dark on light, -1 for light on dark."""
    span: float
    """Estimated modules between pattern 0 and the other two: four times the version plus 10."""
    score: float
    """Mean correlation of the patterns seen, less penalties for what does not fit together."""


def constellations(finders: Finders) -> list[Constellation]:
    """All plausible ones, best first."""
    if len(finders) < 2:
        return []
    found = _triples(finders) + _pairs(finders)
    return sorted(found, key=lambda item: -item.score)


def _relative(finders: Finders) -> tuple[DoubleArray, DoubleArray]:
    """`(k, k, 2)` place of candidate j in the frame of i, and `(k, k)` distance in modules as both see it."""
    offsets = finders.centres[None] - finders.centres[:, None]
    relative = np.einsum("iab,ijb->ija", np.linalg.inv(finders.axes), offsets)
    length = np.linalg.norm(relative, axis=2)
    return relative, np.sqrt(length * length.T)


def _triples(finders: Finders) -> list[Constellation]:
    relative, length = _relative(finders)
    k = len(finders)
    corner, one, two = (
        part.ravel() for part in np.meshgrid(np.arange(k), np.arange(k), np.arange(k), indexing="ij")
    )
    a, b = relative[corner, one], relative[corner, two]
    turn = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    # The frames may be mirrored against the picture; x before y clockwise is meant in pixels.
    turn *= np.sign(np.linalg.det(finders.axes))[corner]
    first, second = length[corner, one], length[corner, two]
    shorter, longer = np.minimum(first, second), np.maximum(first, second)
    same = (finders.signs[corner] == finders.signs[one]) & (finders.signs[corner] == finders.signs[two])
    plausible = same & (turn > 0) & (shorter > _SHORTEST_SPAN) & (longer < _LONGEST_SPAN) & (longer < 1.35 * shorter)
    plausible &= np.abs(turn) > 0.85 * np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: list[Constellation] = []
    for i, j, m in zip(corner[plausible], one[plausible], two[plausible], strict=True):
        members = [i, j, m]
        skew = _off_axis(relative[i, j]) + _off_axis(relative[i, m])
        skew += _off_axis(relative[j, i]) + _off_axis(relative[m, i])
        size = np.sqrt(np.abs(np.linalg.det(finders.axes[members])))
        if skew / 4 > 0.4 or size.max() > 1.7 * size.min():
            continue
        first, second = length[i, j], length[i, m]
        score = float(finders.scores[members].mean() - 0.4 * skew / 4 - 0.4 * abs(np.log(first / second)))
        span = float(np.sqrt(first * second))
        found.append(_made(finders.centres[members], finders.axes[members], finders.signs[i], span, score, [0, 1, 2]))
    return found


def _pairs(finders: Finders) -> list[Constellation]:
    """Two patterns along a side, or at the ends of the diagonal, and every place the third may have."""
    relative, length = _relative(finders)
    found: list[Constellation] = []
    for i in range(len(finders)):
        for j in range(i):
            size = np.sqrt(np.abs(np.linalg.det(finders.axes[[i, j]])))
            if finders.signs[i] != finders.signs[j] or size.max() > 1.7 * size.min():
                continue
            score = float(finders.scores[[i, j]].mean()) - _PENALTY_OF_A_GUESS
            way = finders.centres[j] - finders.centres[i]
            skew = (_off_axis(relative[i, j]) + _off_axis(relative[j, i])) / 2
            side = length[i, j]
            if skew < 0.2 and _SHORTEST_SPAN < side < _LONGEST_SPAN:
                across = _across(finders.axes[i], way) * side
                across_there = _across(finders.axes[j], way) * side
                for turn in (1.0, -1.0):
                    for corner, arm, step in ((i, j, turn * across), (j, i, turn * across_there)):
                        found.append(
                            _guessed(finders, corner, arm, finders.centres[corner] + step, side, score - 0.4 * skew)
                        )
            elif skew > np.pi / 4 - 0.2 and _SHORTEST_SPAN < side / np.sqrt(2) < _LONGEST_SPAN:
                found.extend(_from_diagonal(finders, i, j, relative, side / np.sqrt(2), score))
    return [item for item in found if item is not None]


def _from_diagonal(
    finders: Finders, i: int, j: int, relative: DoubleArray, side: float, score: float
) -> list[Constellation]:
    """Patterns i and j are the two arms; the corner is at one of the two other ends of the square."""
    found: list[Constellation] = []
    for axis in (0, 1):
        there = np.zeros(2)
        there[axis] = relative[i, j][axis]
        centre = finders.centres[i] + finders.axes[i] @ there
        centres = np.stack([centre, finders.centres[i], finders.centres[j]])
        axes = finders.axes[[i, i, j]]
        axes = np.concatenate([axes[1:].mean(axis=0, keepdims=True) if _agree(axes) else axes[:1], axes[1:]])
        order = [0, 1, 2] if _turns_right(centres) else [0, 2, 1]
        found.append(_made(centres[order], axes[order], finders.signs[i], side, score, [1, 2]))
    return found


def _guessed(
    finders: Finders, corner: int, arm: int, third: DoubleArray, side: float, score: float
) -> Constellation:
    centres = np.stack([finders.centres[corner], finders.centres[arm], third])
    axes = finders.axes[[corner, arm, corner]]
    order = [0, 1, 2] if _turns_right(centres) else [0, 2, 1]
    seen = [order.index(0), order.index(1)]
    return _made(centres[order], axes[order], finders.signs[corner], side, score, seen)


def _made(
    centres: DoubleArray, axes: DoubleArray, sign: float, span: float, score: float, seen: list[int]
) -> Constellation:
    """The constellation with every frame renamed so that its columns are the symbol's x and y."""
    along_x, along_y = centres[1] - centres[0], centres[2] - centres[0]
    aligned = np.stack([_aligned(frame, along_x, along_y) for frame in axes])
    mask = np.zeros(3, dtype=bool)
    mask[seen] = True
    return Constellation(centres, aligned, mask, float(sign), span, score)


def _aligned(frame: DoubleArray, along_x: DoubleArray, along_y: DoubleArray) -> DoubleArray:
    """The frame's columns permuted and reversed so that they point along x and y."""
    inverse = np.linalg.inv(frame)
    x_there, y_there = inverse @ along_x, inverse @ along_y
    straight = abs(x_there[0] * y_there[1]) >= abs(x_there[1] * y_there[0])
    first, second = (0, 1) if straight else (1, 0)
    columns = [np.sign(x_there[first]) * frame[:, first], np.sign(y_there[second]) * frame[:, second]]
    return np.stack(columns, axis=1)


def _off_axis(offset: DoubleArray) -> float:
    """Angle in radians, 0 to pi/4, between an offset in a frame and the nearest of the frame's axes."""
    angle = float(np.arctan2(offset[1], offset[0])) % (np.pi / 2)
    return min(angle, np.pi / 2 - angle)


def _across(frame: DoubleArray, way: DoubleArray) -> DoubleArray:
    """The axis of the frame, one module long in pixels, that does not lead along `way`."""
    there = np.linalg.inv(frame) @ way
    return frame[:, 1] if abs(there[0]) > abs(there[1]) else frame[:, 0]


def _agree(axes: DoubleArray) -> bool:
    """Whether the frames of both arms name the same axes the same way, so that their mean means something."""
    return bool(np.all(np.sum(axes[1] * axes[2], axis=0) > 0))


def _turns_right(centres: DoubleArray) -> bool:
    x, y = centres[1] - centres[0], centres[2] - centres[0]
    return bool(x[0] * y[1] - x[1] * y[0] > 0)
