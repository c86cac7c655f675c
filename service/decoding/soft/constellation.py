"""Finder patterns combined to symbols: three at right angles, or two and a guess of the third."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.finder import Finders

DoubleArray = NDArray[np.float64]

_LONGEST_SPAN = 177 - 7 + 20
_SHORTEST_SPAN = 11.5
"""Modules between two finder centres. Version 1 has 14; the margin allows for bad estimates."""
CLEAR_SCORE = 0.6
"""Score above which three patterns fit together so well that chance is unlikely."""
_PENALTY_OF_A_GUESS = 0.2
_LARGEST_RATIO = 6.0
"""Largest ratio of the module areas at two patterns of one symbol."""
_MOST = 24


@dataclass(frozen=True)
class Constellation:
    """Three positions of finder patterns: 0 at the shared corner, 1 along x from it, 2 along y.

    x and y are oriented as in a symbol that is not mirrored; a mirrored symbol appears transposed.
    """

    centres: DoubleArray
    """`(3, 2)` x, y in pixels."""
    axes: DoubleArray
    """`(3, 2, 2)`; `axes[i] @ (a, b)` are a modules along the symbol's x and b along its y at pattern i, in
    pixels."""
    seen: NDArray[np.bool_]
    """`(3,)`: False for a pattern that was guessed from the other two."""
    sign: float
    """+1 for dark on light, -1 for light on dark."""
    span: float
    """Estimated modules between pattern 0 and the other two: four times the version plus 10."""
    score: float
    """Mean correlation of the patterns seen, minus penalties for a bad fit."""


def _relative(finders: Finders) -> tuple[DoubleArray, DoubleArray]:
    """`(k, k, 2)` position of candidate j in the frame of i, and `(k, k)` distance in modules by both frames."""
    offsets = finders.centres[None] - finders.centres[:, None]
    relative = np.einsum("iab,ijb->ija", np.linalg.inv(finders.axes), offsets)
    length = np.linalg.norm(relative, axis=2)
    return relative, np.sqrt(length * length.T)


def triples(finders: Finders) -> list[Constellation]:
    """Three patterns at a right angle, best first."""
    k = len(finders)
    if k < 3:
        return []
    relative, length = _relative(finders)
    skew = _off_axis(relative)
    skew = (skew + skew.T) / 2
    area = np.abs(np.linalg.det(finders.axes))
    corner, one, two = np.indices((k, k, k)).reshape(3, -1)
    a, b = relative[corner, one], relative[corner, two]
    turn = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    # Frames may be mirrored relative to the picture; clockwise from x to y is meant in pixels.
    turn *= np.sign(np.linalg.det(finders.axes))[corner]
    first, second = length[corner, one], length[corner, two]
    shorter, longer = np.minimum(first, second), np.maximum(first, second)
    good = (finders.signs[corner] == finders.signs[one]) & (finders.signs[corner] == finders.signs[two])
    good &= (shorter > _SHORTEST_SPAN) & (longer < _LONGEST_SPAN) & (longer < 1.35 * shorter)
    good &= turn > 0.85 * np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    bent = (skew[corner, one] + skew[corner, two]) / 2
    members = np.stack([corner, one, two])
    good &= (bent < 0.4) & (area[members].max(axis=0) < _LARGEST_RATIO * area[members].min(axis=0))
    unlike = np.abs(np.log(np.where(good, first, 1) / np.where(good, second, 1)))
    scores = finders.scores[members].mean(axis=0) - 0.4 * bent - 0.4 * unlike
    chosen = np.flatnonzero(good)
    found: list[Constellation] = []
    for at in chosen[np.argsort(-scores[chosen])][:_MOST]:
        index = members[:, at]
        span = float(np.sqrt(first[at] * second[at]))
        found.append(
            _made(
                finders.centres[index],
                finders.axes[index],
                finders.signs[index[0]],
                span,
                float(scores[at]),
                [0, 1, 2],
            )
        )
    return found


def pairs(finders: Finders) -> list[Constellation]:
    """Two patterns along a side, or at the ends of the diagonal, with every position of the third; best first."""
    k = len(finders)
    if k < 2:
        return []
    relative, length = _relative(finders)
    skew = _off_axis(relative)
    skew = (skew + skew.T) / 2
    area = np.abs(np.linalg.det(finders.axes))
    i, j = np.triu_indices(k, 1)
    good = (
        (finders.signs[i] == finders.signs[j])
        & (length[i, j] > _SHORTEST_SPAN)
        & (length[i, j] < _LONGEST_SPAN)
    )
    good &= np.maximum(area[i], area[j]) < _LARGEST_RATIO * np.minimum(area[i], area[j])
    straight = skew[i, j] < 0.2
    good &= straight | (skew[i, j] > np.pi / 4 - 0.2)
    scores = (finders.scores[i] + finders.scores[j]) / 2 - _PENALTY_OF_A_GUESS
    scores -= 0.4 * np.where(straight, skew[i, j], np.pi / 4 - skew[i, j])
    chosen = np.flatnonzero(good)
    found: list[Constellation] = []
    for at in chosen[np.argsort(-scores[chosen])][: _MOST // 2]:
        make = _along_side if straight[at] else _along_diagonal
        found.extend(
            make(finders, int(i[at]), int(j[at]), relative, float(length[i[at], j[at]]), float(scores[at]))
        )
    return found


def _along_side(
    finders: Finders, i: int, j: int, relative: DoubleArray, side: float, score: float
) -> list[Constellation]:
    """Patterns i and j are the corner and an arm; the other arm starts at either of them, on either side."""
    found: list[Constellation] = []
    for corner, arm in ((i, j), (j, i)):
        along = relative[corner, arm]
        frame = finders.axes[corner]
        # The axis of the frame that does not lead to the other pattern.
        across = (frame[:, 1] if abs(along[0]) > abs(along[1]) else frame[:, 0]) * side
        for step in (across, -across):
            centres = np.stack(
                [finders.centres[corner], finders.centres[arm], finders.centres[corner] + step]
            )
            axes = finders.axes[[corner, arm, corner]]
            order = [0, 1, 2] if _turns_right(centres) else [0, 2, 1]
            seen = [order.index(0), order.index(1)]
            found.append(_made(centres[order], axes[order], finders.signs[corner], side, score, seen))
    return found


def _along_diagonal(
    finders: Finders, i: int, j: int, relative: DoubleArray, length: float, score: float
) -> list[Constellation]:
    """Patterns i and j are the two arms; the corner is at one of the two other ends of the square."""
    found: list[Constellation] = []
    for axis in (0, 1):
        there = np.zeros(2)
        there[axis] = relative[i, j][axis]
        corner = finders.centres[i] + finders.axes[i] @ there
        centres = np.stack([corner, finders.centres[i], finders.centres[j]])
        axes = finders.axes[[i, i, j]]
        order = [0, 1, 2] if _turns_right(centres) else [0, 2, 1]
        side = length / float(np.sqrt(2))
        found.append(_made(centres[order], axes[order], finders.signs[i], side, score, [1, 2]))
    return found


def _made(
    centres: DoubleArray, axes: DoubleArray, sign: float, span: float, score: float, seen: list[int]
) -> Constellation:
    """The constellation with the columns of every frame in the order of the symbol's x and y."""
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


def _off_axis(offsets: DoubleArray) -> DoubleArray:
    """Angles in radians, 0 to pi/4, between offsets `(..., 2)` in a frame and the nearest of the frame's
    axes."""
    angle = np.arctan2(offsets[..., 1], offsets[..., 0]) % (np.pi / 2)
    return np.asarray(np.minimum(angle, np.pi / 2 - angle))


def _turns_right(centres: DoubleArray) -> bool:
    x, y = centres[1] - centres[0], centres[2] - centres[0]
    return bool(x[0] * y[1] - x[1] * y[0] > 0)
