"""Which grids to try, and in which order: the promising ones first, each made as late as possible."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.constellation import Constellation
from service.decoding.soft.hypotheses import Hypothesis, version_hypotheses, with_best_corner
from service.decoding.soft.refinement import Fit, refine

FloatArray = NDArray[np.float32]

_MOST_CONSTELLATIONS = 40
_VERSIONS = 3
_LEAST_VERSION_SCORE = 0.2
_SURE = 0.72
"""Agreement of the function patterns at which a grid is tried before others are looked for."""
_LEAST_AGREEMENT = 0.36
"""Below it a grid lies on no symbol, or on one that holds nothing readable."""
_PROMISE_OF_CORRELATION = 8.0
"""What correlation of finder patterns is worth, in standard deviations of the version's score."""


def hypotheses(darkness: FloatArray, constellations: list[Constellation]) -> list[Hypothesis]:
    """Grids worth fitting, best first, from constellations given best first."""
    found: list[tuple[float, Hypothesis]] = []
    for constellation in constellations[:_MOST_CONSTELLATIONS]:
        for hypothesis in version_hypotheses(darkness, constellation, _VERSIONS):
            if hypothesis.score > _LEAST_VERSION_SCORE:
                promise = hypothesis.score + _PROMISE_OF_CORRELATION * constellation.score
                found.append((promise, hypothesis))
    return [hypothesis for _, hypothesis in sorted(found, key=lambda item: -item[0])]


def fitted(logits: FloatArray, darkness: FloatArray, hypothesis: Hypothesis) -> Fit:
    """The homography that suits a hypothesis best."""
    sign = hypothesis.sign
    near = refine(logits, hypothesis.grid, sign, degree=2, iterations=2, near=True)
    placed = with_best_corner(darkness, replace(hypothesis, grid=near.grid))
    return refine(logits, placed.grid, sign, degree=0, iterations=4)


def variants(logits: FloatArray, fit: Fit) -> Iterator[Fit]:
    """A fit, then the same bent more and more freely, as long as that changes anything."""
    yield fit
    bent = refine(logits, fit.grid, fit.sign, degree=2, iterations=3)
    if not bent.grid.is_sound(logits.shape):
        return
    freer = refine(logits, bent.grid, fit.sign, degree=3, iterations=4)
    if not freer.grid.is_sound(logits.shape):
        freer = bent
    if _apart(freer, fit) > 0.12:
        yield freer
    if freer is not bent and min(_apart(bent, fit), _apart(bent, freer)) > 0.2:
        yield bent


def fits(logits: FloatArray, darkness: FloatArray, candidates: list[Hypothesis], most: int) -> Iterator[Fit]:
    """Fits of up to `most` hypotheses: at once where the function patterns agree, the doubtful ones at the end."""
    doubtful: list[Fit] = []
    for hypothesis in candidates[:most]:
        fit = fitted(logits, darkness, hypothesis)
        if not fit.grid.is_sound(logits.shape) or fit.agreement < _LEAST_AGREEMENT:
            continue
        if fit.agreement >= _SURE:
            yield from variants(logits, fit)
        else:
            doubtful.append(fit)
    for fit in sorted(doubtful, key=lambda item: -item.score):
        yield from variants(logits, fit)


def _apart(one: Fit, other: Fit) -> float:
    """Largest distance between the two grids at module centres, in modules."""
    distance = np.linalg.norm(one.grid.centres() - other.grid.centres(), axis=2)
    return float(distance.max()) / one.grid.module_width()
