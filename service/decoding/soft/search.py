"""The grids to try and their order: promising grids first, each made as late as possible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.constellation import CLEAR_SCORE, Constellation, pairs, triples
from service.decoding.soft.effort import Effort
from service.decoding.soft.finder import Finders
from service.decoding.soft.grid import Grid
from service.decoding.soft.hypotheses import (
    Hypothesis,
    affine_hypotheses,
    version_hypotheses,
    with_best_corner,
)
from service.decoding.soft.refinement import Fit, Freedom, refine

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]

_VERSIONS = 3
_SURE = 0.72
"""Agreement of the function patterns at which a grid is tried before the search continues."""
_FLAT = 0.9
"""Agreement at which a symbol is assumed to be flat until that fails."""
_NO_PERSPECTIVE = 0.02
"""A grid without perspective is tried before bent ones if its score is lower by at most this much. Where the modules
tell little, a freer grid agrees with noise."""
_STRAIGHT_ON_VERSIONS = 2
"""Versions of each constellation that are tried without perspective and bend."""
_STRAIGHT_ON_MOST = 10
"""Largest version that is tried so. Larger ones have enough alignment patterns and version information without it."""
_STRAIGHT_ON_WITHIN, _STRAIGHT_ON_WITHIN_SMALLEST = 0.06, 0.15
"""A grid seen straight on is tried first unless a bent grid scores better by more than this. The second value is for
version 1, which has so few function patterns that a freer grid agrees even more with noise."""
_TELLING = 3
"""Least version whose function patterns, without the finders, show whether there is a symbol."""
_DIFFERENT = 0.15
"""Both of two grids are tried only if they differ by more than so many modules somewhere."""
_OUTSTANDING = 3.0
"""Version score at which a hypothesis is fitted before others are compared with it. Seen straight on, it is fitted
instead of them."""
_SETTLED = 0.8
"""Agreement of the function patterns that proves a symbol. If it cannot be decoded then, it is illegible."""
_SAME_FINDER = 2.0
"""Most modules between two positions of one finder pattern."""

# In nominal milliseconds (see `effort`).
_VERSIONS_WORK = 1.5
_WORK_OF_A_STEP, _WORK_OF_A_MODULE = 0.35, 3.9e-4
"""Of an iteration of `refine`."""


@dataclass(frozen=True)
class _Round:
    """How many constellations are handled together, and the limits for their hypotheses."""

    constellations: int
    fits: int
    least_version_score: float
    least_near_agreement: float
    """Of the function patterns near the finders, before the rest of the grid is fitted."""
    least_agreement: float
    """Below it a grid is assumed to lie on no symbol, or on an unreadable one."""


_CLEAR = _Round(2, 4, -1.0, 0.0, 0.25)
"""Three patterns that fit together are rarely chance: even a bad fit is worth a try."""
_DOUBTFUL = (_Round(6, 4, 0.5, 0.25, 0.36), _Round(16, 4, 1.0, 0.3, 0.4))


class GridSearch:
    """Grids for one picture. `logits` and `darkness` are `(H, W) float32`; see `reader`.

    A caller that asks for the next grid has failed to decode the last one. So no grid is given twice. Finder patterns
    of a symbol whose function patterns all agreed are not used again: the symbol is illegible.
    """

    def __init__(self, logits: FloatArray, darkness: FloatArray, effort: Effort) -> None:
        """No new grid is begun after `effort` is exhausted."""
        self._logits = logits
        self._darkness = darkness
        self._effort = effort
        self._tried: list[Fit] = []
        self._settled: list[Fit] = []

    def fits(self, finders: Finders, clear_only: bool = False) -> Iterator[Fit]:
        """Fits for symbols with these finder patterns; those whose function patterns agree at once come first.

        With `clear_only`, only constellations of three patterns that fit together are used.
        """
        whole = triples(finders)
        clear = [item for item in whole if item.score > CLEAR_SCORE][: _CLEAR.constellations]
        doubtful: list[tuple[Fit, DoubleArray]] = []
        for constellation in clear:
            yield from self._straight_on(constellation)
        yield from self._round(clear, _CLEAR, doubtful)
        if not clear_only:
            rest = [item for item in whole if not any(item is other for other in clear)] + pairs(finders)
            rest.sort(key=lambda item: -item.score)
            for kind in _DOUBTFUL:
                yield from self._round(rest[: kind.constellations], kind, doubtful)
                rest = rest[kind.constellations :]
        for fit, centres in sorted(doubtful, key=lambda item: -item[0].score):
            if self._effort.exhausted:
                return
            if not self._is_settled(centres):
                yield from self._variants(fit)

    def _straight_on(self, constellation: Constellation) -> Iterator[Fit]:
        """The symbol as in a scan or a screenshot, only turned, shifted and scaled, if a freer grid fits hardly better.
        Every further freedom loses small symbols in heavy JPEG."""
        if self._effort.exhausted or self._is_settled(constellation.centres):
            return
        self._effort.spend(_VERSIONS_WORK)
        found = affine_hypotheses(self._darkness, constellation, _STRAIGHT_ON_VERSIONS)
        for hypothesis in found[:1] if found and found[0].score > _OUTSTANDING else found:
            version, sign = hypothesis.grid.version, hypothesis.sign
            if version > _STRAIGHT_ON_MOST:
                continue
            if self._effort.exhausted:
                return
            affine = self._refined(hypothesis.grid, sign, Freedom.AFFINE, iterations=4)
            if version >= _TELLING and affine.agreement < _CLEAR.least_agreement:
                continue
            bent = self._refined(affine.grid, sign, Freedom.QUADRATIC, iterations=4)
            straight = self._refined(affine.grid.similar(), sign, Freedom.SIMILARITY, iterations=4)
            within = _STRAIGHT_ON_WITHIN_SMALLEST if version == 1 else _STRAIGHT_ON_WITHIN
            if straight.score > bent.score - within and straight.grid.is_sound(self._logits.shape):
                yield from self._untried(straight)

    def _round(
        self,
        constellations: Sequence[Constellation],
        kind: _Round,
        doubtful: list[tuple[Fit, DoubleArray]],
    ) -> Iterator[Fit]:
        """Yield the sure fits, and collect the doubtful ones with the finder patterns that they use."""
        found: list[Hypothesis] = []
        for constellation in constellations:
            if self._is_settled(constellation.centres[constellation.seen]):
                continue
            self._effort.spend(_VERSIONS_WORK)
            hypotheses = version_hypotheses(self._darkness, constellation, _VERSIONS)
            found += [item for item in hypotheses if item.score > kind.least_version_score]
        found.sort(key=lambda item: -item.score)
        fitted = 0
        if found and found[0].score > _OUTSTANDING:
            started = self._started(found[:1], kind)
            yield from self._sorted_out(started, kind, doubtful)
            fitted, found = len(started), found[1:]
        started = self._started(found[: 2 * kind.fits], kind)
        yield from self._sorted_out(started[: kind.fits - fitted], kind, doubtful)

    def _started(self, hypotheses: list[Hypothesis], kind: _Round) -> list[Hypothesis]:
        """The hypotheses that are worth a full fit, best first, fitted to the modules near the finder patterns."""
        started: list[tuple[float, Hypothesis]] = []
        for hypothesis in hypotheses:
            if self._effort.exhausted:
                break
            if self._is_settled(hypothesis.finders):
                continue
            near = self._refined(hypothesis.grid, hypothesis.sign, Freedom.QUADRATIC, iterations=2, near=True)
            if near.agreement > kind.least_near_agreement and near.grid.is_sound(self._logits.shape):
                started.append((near.agreement, replace(hypothesis, grid=near.grid)))
        started.sort(key=lambda item: -item[0])
        return [hypothesis for _, hypothesis in started]

    def _sorted_out(
        self, hypotheses: list[Hypothesis], kind: _Round, doubtful: list[tuple[Fit, DoubleArray]]
    ) -> Iterator[Fit]:
        """Fit hypotheses in full: yield the sure ones, keep the doubtful ones, drop the rest."""
        for hypothesis in hypotheses:
            if self._effort.exhausted:
                return
            if self._is_settled(hypothesis.finders):
                continue
            placed = self._placed(hypothesis.grid, hypothesis.sign)
            fit = self._refined(placed, hypothesis.sign, Freedom.HOMOGRAPHY, iterations=4)
            if not fit.grid.is_sound(self._logits.shape):
                continue
            if fit.agreement >= _SURE:
                yield from self._variants(fit)
            elif fit.agreement >= kind.least_agreement:
                doubtful.append((fit, hypothesis.finders))

    def _variants(self, fit: Fit) -> Iterator[Fit]:
        """A fit and its bent variants, if they differ; the likeliest first."""
        first = len(self._tried)
        if fit.agreement > _FLAT:
            yield from self._untried(fit)
        straight = self._refined(fit.grid.affine(), fit.sign, Freedom.AFFINE, iterations=4)
        bent = self._bent(fit)
        if straight.score > bent.score - _NO_PERSPECTIVE and straight.grid.is_sound(self._logits.shape):
            yield from self._untried(straight)
        # A bent grid may find a far corner that the flat grid could not reach.
        again = self._bent(replace(bent, grid=self._placed(bent.grid, fit.sign)))
        others = [variant for variant in (bent, again) if variant.grid.is_sound(self._logits.shape)]
        for variant in sorted(others, key=lambda item: -item.score):
            yield from self._untried(variant)
        if any(tried.agreement >= _SETTLED for tried in self._tried[first:]):
            self._settled.append(max(self._tried[first:], key=lambda item: item.score))

    def _untried(self, fit: Fit) -> Iterator[Fit]:
        """The fit, unless a nearly equal one has been tried."""
        if all(_apart(fit, other) > _DIFFERENT for other in self._tried):
            self._tried.append(fit)
            yield fit

    def _is_settled(self, centres: DoubleArray) -> bool:
        """Whether two of these finder patterns `(k, 2)` belong to a symbol that was found and is illegible."""
        for fit in self._settled:
            far = fit.grid.modules - 3.5
            known = fit.grid.at(np.array([[3.5, 3.5], [far, 3.5], [3.5, far]]))
            apart = np.linalg.norm(centres[:, None] - known, axis=2).min(axis=1)
            if np.sum(apart < _SAME_FINDER * fit.grid.module_width()) >= 2:
                return True
        return False

    def _bent(self, fit: Fit) -> Fit:
        """The fit with increasing freedom to bend."""
        bent = self._refined(fit.grid, fit.sign, Freedom.QUADRATIC, iterations=4)
        return self._refined(bent.grid, fit.sign, Freedom.CUBIC, iterations=5)

    def _placed(self, grid: Grid, sign: float) -> Grid:
        self._effort.spend(_WORK_OF_A_STEP + 5e-4 * grid.modules**2)
        return with_best_corner(self._darkness, grid, sign)

    def _refined(
        self, grid: Grid, sign: float, freedom: Freedom, *, iterations: int, near: bool = False
    ) -> Fit:
        self._effort.spend(iterations * (_WORK_OF_A_STEP + _WORK_OF_A_MODULE * grid.modules**2))
        return refine(self._logits, grid, sign, freedom, iterations, near)


def _apart(one: Fit, other: Fit) -> float:
    """Largest distance between the two grids at module centres, in modules."""
    if one.grid.version != other.grid.version or one.sign != other.sign:
        return float("inf")
    distance = np.linalg.norm(one.grid.centres() - other.grid.centres(), axis=2)
    return float(distance.max()) / one.grid.module_width()
