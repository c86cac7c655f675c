"""Which grids to try, and in which order: the promising ones first, each made as late as possible."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.constellation import CLEAR_SCORE, Constellation, pairs, triples
from service.decoding.soft.finder import Finders
from service.decoding.soft.hypotheses import Hypothesis, version_hypotheses, with_best_corner
from service.decoding.soft.refinement import Fit, refine

FloatArray = NDArray[np.float32]

_VERSIONS = 3
_SURE = 0.72
"""Agreement of the function patterns at which a grid is tried before others are looked for."""
_FLAT = 0.9
"""Agreement at which a symbol is taken to be flat until that has failed."""
_DIFFERENT = 0.15
"""Modules by which two grids must differ somewhere for both to be tried."""
_OUTSTANDING = 3.0
"""Version score at which a hypothesis is fitted before others are compared with it."""


@dataclass(frozen=True)
class _Round:
    """How many constellations are looked at together, and what is asked of their hypotheses."""

    constellations: int
    fits: int
    least_version_score: float
    least_near_agreement: float
    """Of the function patterns near the finders, before the rest of the grid is fitted."""
    least_agreement: float
    """Below it a grid is taken to lie on no symbol, or on one that holds nothing readable."""


_CLEAR = _Round(2, 4, -1.0, 0.0, 0.25)
"""Three patterns that suit one another are rarely a chance: even a bad fit of theirs is worth a trial."""
_DOUBTFUL = (_Round(6, 4, 0.5, 0.25, 0.36), _Round(16, 4, 1.0, 0.3, 0.4))


class GridSearch:
    """Grids for one picture. `logits` and `darkness` are `(H, W) float32`; see `reader`."""

    def __init__(self, logits: FloatArray, darkness: FloatArray, deadline: float) -> None:
        """`deadline` is a reading of `time.monotonic` after which no new grid is begun."""
        self._logits = logits
        self._darkness = darkness
        self._deadline = deadline

    def fits(self, finders: Finders, clear_only: bool = False) -> Iterator[Fit]:
        """Fits for symbols with these finder patterns: where the function patterns agree at once, others
        last.

        With `clear_only` only constellations of three patterns that suit one another are looked at.
        """
        whole = triples(finders)
        clear = [item for item in whole if item.score > CLEAR_SCORE][: _CLEAR.constellations]
        doubtful: list[Fit] = []
        yield from self._round(clear, _CLEAR, doubtful)
        if not clear_only:
            rest = [item for item in whole if not any(item is other for other in clear)] + pairs(finders)
            rest.sort(key=lambda item: -item.score)
            for kind in _DOUBTFUL:
                yield from self._round(rest[: kind.constellations], kind, doubtful)
                rest = rest[kind.constellations :]
        for fit in sorted(doubtful, key=lambda item: -item.score):
            if self._late():
                return
            yield from self._variants(fit)

    def _round(
        self, constellations: Sequence[Constellation], kind: _Round, doubtful: list[Fit]
    ) -> Iterator[Fit]:
        """Yields the sure fits and collects the doubtful ones."""
        found = [
            hypothesis
            for constellation in constellations
            for hypothesis in version_hypotheses(self._darkness, constellation, _VERSIONS)
            if hypothesis.score > kind.least_version_score
        ]
        found.sort(key=lambda item: -item.score)
        fitted = 0
        if found and found[0].score > _OUTSTANDING:
            started = self._started(found[:1], kind)
            yield from self._sorted_out(started, kind, doubtful)
            fitted, found = len(started), found[1:]
        started = self._started(found[: 2 * kind.fits], kind)
        yield from self._sorted_out(started[: kind.fits - fitted], kind, doubtful)

    def _started(self, hypotheses: list[Hypothesis], kind: _Round) -> list[Hypothesis]:
        """The hypotheses worth fitting wholly, best first, fitted to what lies near the finder patterns."""
        started: list[tuple[float, Hypothesis]] = []
        for hypothesis in hypotheses:
            if self._late():
                break
            near = refine(self._logits, hypothesis.grid, hypothesis.sign, degree=2, iterations=2, near=True)
            if near.agreement > kind.least_near_agreement and near.grid.is_sound(self._logits.shape):
                started.append((near.agreement, replace(hypothesis, grid=near.grid)))
        started.sort(key=lambda item: -item[0])
        return [hypothesis for _, hypothesis in started]

    def _sorted_out(self, hypotheses: list[Hypothesis], kind: _Round, doubtful: list[Fit]) -> Iterator[Fit]:
        """Fits hypotheses wholly; yields what is sure, keeps what is doubtful, drops the rest."""
        for hypothesis in hypotheses:
            if self._late():
                return
            placed = with_best_corner(self._darkness, hypothesis)
            fit = refine(self._logits, placed.grid, hypothesis.sign, degree=0, iterations=4)
            if not fit.grid.is_sound(self._logits.shape):
                continue
            if fit.agreement >= _SURE:
                yield from self._variants(fit)
            elif fit.agreement >= kind.least_agreement:
                doubtful.append(fit)

    def _variants(self, fit: Fit) -> Iterator[Fit]:
        """A fit and the same bent, as far as that changes anything, the likeliest first."""
        if fit.agreement > _FLAT:
            yield fit
        bent = self._bent(fit)
        # On a bent grid the far corner may be found that was out of the flat one's reach.
        placed = with_best_corner(self._darkness, Hypothesis(bent.grid, fit.sign, 0.0))
        others = [fit]
        for variant in (bent, self._bent(replace(bent, grid=placed.grid))):
            sound = variant.grid.is_sound(self._logits.shape)
            if sound and all(_apart(variant, other) > _DIFFERENT for other in others):
                others.append(variant)
        others = others[1:] if fit.agreement > _FLAT else others
        yield from sorted(others, key=lambda item: -item.score)

    def _bent(self, fit: Fit) -> Fit:
        """The fit with more and more freedom to bend."""
        bent = refine(self._logits, fit.grid, fit.sign, degree=2, iterations=4)
        return refine(self._logits, bent.grid, fit.sign, degree=3, iterations=5)

    def _late(self) -> bool:
        return time.monotonic() > self._deadline


def _apart(one: Fit, other: Fit) -> float:
    """Largest distance between the two grids at module centres, in modules."""
    distance = np.linalg.norm(one.grid.centres() - other.grid.centres(), axis=2)
    return float(distance.max()) / one.grid.module_width()
