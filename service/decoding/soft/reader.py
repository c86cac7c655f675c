"""Reads QR symbols from the generator's logits: find, fit, sample, decode."""

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.bitstream import Message, Segment
from service.decoding.soft.codewords import Level
from service.decoding.soft.decode import Decoded, decode_modules
from service.decoding.soft.effort import Effort
from service.decoding.soft.finder import find_finders
from service.decoding.soft.format_information import format_hypotheses
from service.decoding.soft.prior.hints import Hint
from service.decoding.soft.prior.joint import decode_with_prior, outlook
from service.decoding.soft.refinement import Fit
from service.decoding.soft.sampling import TYPICAL, SoftCalibration, sampled
from service.decoding.soft.search import GridSearch

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
Point = tuple[float, float]

DEFAULT_WORK = 130.0
"""Nominal milliseconds (see `effort`) for one picture, beyond looking for finder patterns: what reading takes near
the wall, up to version 20. Text and noise cost as much, in vain."""
_WORK_OF_A_LARGE_SYMBOL = 8.5e-5
"""More work, times the cube of the modules along a side, once the function patterns show that there is a symbol."""
_EVIDENT = 0.5
"""Agreement of the function patterns that shows this."""
_LEAST_SIDE = 64
"""Pixels; no readable symbol of 21 modules is smaller."""
_PRIOR_WORK = 36.0
"""Additional nominal milliseconds for decoding with a payload model, after all else has failed and if it may
succeed."""
_MOST_PRIOR_TRIES = 2
"""Most grids of a picture that are decoded with it."""
_MOST_TRIES = 32
"""Most decodings for one picture."""
_FORMAT_RANGE = 6.0
"""An orientation of a symbol is still tried if the format information is at most so many nats against it."""


@dataclass(frozen=True, slots=True)
class SoftReading:
    """One symbol, and the evidence for it."""

    payload: bytes
    """Bytes of all segments in their order."""
    message: Message
    """Segments with mode, ECI and encoding; structured append; FNC1."""
    corners: tuple[Point, Point, Point, Point]
    """x, y in pixels of the logits, the centre of the first pixel at (0, 0): first the symbol's own top left
    corner, then as one goes round the picture clockwise, or counter-clockwise where the symbol is
    mirrored."""
    version: int
    level: Level
    mask: int
    mirrored: bool
    inverted: bool
    """Light on dark."""
    modules_corrected: int
    """Modules whose sign was wrong before error correction."""
    blocks: NDArray[np.uint8]
    """`(blocks, n)` code words (see `codewords.interleaving`)."""
    llr: FloatArray
    """`(n, n)` log P(dark) / P(light) of the modules, upright and unmirrored."""
    misread_bound: float
    """Upper bound on the probability that the payload is not what the symbol says (see `acceptance`)."""
    agreement: float
    """Agreement of the function patterns, without finders, with the picture, weighted by sureness; 1 is perfect, 0 is
    chance."""
    sureness: float
    """Mean of abs(tanh(logit / 2)) over the data modules."""
    residual: float
    """Root mean square of the last step of the fit, in modules."""
    prior: bool = False
    """Whether it could only be read with the payload model."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Runs of characters in one mode, in their order."""
        return self.message.segments


def read_logits(
    logits: FloatArray,
    calibration: SoftCalibration | None = None,
    deadline_s: float = 2.0,
    max_symbols: int = 4,
    work: float = DEFAULT_WORK,
    *,
    prior: bool = True,
    hint: Hint | None = None,
) -> list[SoftReading]:
    """All symbols, up to `max_symbols`, in `logits` `(H, W) float32` (negative where dark), best found first.

    `calibration` is the generator's own table where it has one. `work` bounds what is tried once finder patterns
    are found, in nominal milliseconds (see `effort`), whatever the clock says, except that a large symbol that is
    certainly there gets more; `deadline_s` bounds the time, for safety. Both roughly: what has been started is
    finished. A payload is returned only when the bound on its being wrong is small; otherwise the list stays
    without it. With `prior`, where nothing was read, what is known of payloads is used too (`prior.joint`), at a limit
    of its own.

    Raises ValueError where `logits` is no two-dimensional array of finite numbers.
    """
    if logits.ndim != 2 or not np.isfinite(logits).all():
        raise ValueError("logits must be finite and (H, W)")
    end = time.monotonic() + deadline_s
    effort = Effort(work, end)
    if min(logits.shape) < _LEAST_SIDE:
        return []
    search = _Search(np.ascontiguousarray(logits, dtype=np.float32), calibration or TYPICAL, effort)
    readings: list[SoftReading] = []
    while len(readings) < max_symbols:
        reading = search.next_symbol(readings)
        if reading is None:
            break
        readings.append(reading)
    if prior and not readings:
        last = search.with_prior(Effort(_PRIOR_WORK, end), hint)
        readings += [] if last is None else [last]
    return readings


@dataclass(frozen=True, slots=True)
class _Try:
    """One grid and orientation of a symbol that could not be decoded."""

    fit: Fit
    mirrored: bool
    llr: FloatArray
    chances: int
    """Number of hypotheses that count for it in the misread bound."""


class _Search:
    """The shared state of the search for several symbols in one picture."""

    def __init__(self, logits: FloatArray, calibration: SoftCalibration, effort: Effort) -> None:
        darkness = np.tanh(np.float32(-0.5) * logits)
        self._logits = logits
        self._calibration = calibration
        self._effort = effort
        self._grids = GridSearch(logits, darkness, effort)
        self._finders = find_finders(darkness)
        self._tries = 0
        self._failed: list[_Try] = []

    def next_symbol(self, readings: list[SoftReading]) -> SoftReading | None:
        """The next symbol besides those already read; None if there is none in time."""
        for known in readings:
            self._finders = self._finders.take(~_inside(self._finders.centres, known.corners))
        # Only the first symbol gets time for doubtful grids.
        for fit in self._grids.fits(self._finders, clear_only=bool(readings)):
            reading = self._read(fit)
            if reading is not None:
                return reading
            if self._tries >= _MOST_TRIES or self._effort.exhausted:
                return None
        return None

    def _read(self, fit: Fit) -> SoftReading | None:
        """Decode one fit, plain or mirrored; first the one that the format information favours."""
        if fit.agreement >= _EVIDENT:
            self._effort.allow(_WORK_OF_A_LARGE_SYMBOL * fit.grid.modules**3)
        upright = sampled(self._logits, fit, self._calibration)
        ways = [(format_hypotheses(llr)[0].log_likelihood, mirrored, llr) for mirrored, llr in _both(upright)]
        ways.sort(key=lambda way: -way[0])
        for likelihood, mirrored, llr in ways:
            if likelihood < ways[0][0] - _FORMAT_RANGE or self._tries >= _MOST_TRIES:
                break
            self._tries += 1
            # One try gets half of what is left, because the next grid may be the right one.
            chances = self._tries * (self._tries + 1)
            decoded = decode_modules(llr, fit.grid.version, self._effort.part(0.5), hypotheses=chances)
            if decoded is not None:
                return _reading(decoded, fit, mirrored, llr)
            self._failed.append(_Try(fit, mirrored, llr, chances))
        return None

    def with_prior(self, effort: Effort, hint: Hint | None) -> SoftReading | None:
        """Decode the likeliest of the failed grids with the payload model and what the caller expects."""
        ranked = [
            (outlook(one.llr, one.fit.grid.version, hint), number) for number, one in enumerate(self._failed)
        ]
        for doubt, number in sorted(ranked)[:_MOST_PRIOR_TRIES]:
            if doubt == math.inf or effort.exhausted:
                break
            one = self._failed[number]
            decoded = decode_with_prior(
                one.llr, one.fit.grid.version, effort, hypotheses=one.chances, hint=hint
            )
            if decoded is not None:
                return _reading(decoded, one.fit, one.mirrored, one.llr)
        return None


def _both(upright: FloatArray) -> tuple[tuple[bool, FloatArray], tuple[bool, FloatArray]]:
    return (False, upright), (True, np.ascontiguousarray(upright.T))


def _reading(decoded: Decoded, fit: Fit, mirrored: bool, llr: FloatArray) -> SoftReading:
    return SoftReading(
        payload=decoded.payload,
        message=decoded.message,
        corners=fit.grid.corners(transposed=mirrored),
        version=decoded.version,
        level=decoded.level,
        mask=decoded.mask,
        mirrored=mirrored,
        inverted=fit.sign < 0,
        modules_corrected=decoded.modules_corrected,
        blocks=decoded.blocks,
        llr=llr,
        misread_bound=decoded.misread_bound,
        agreement=fit.agreement,
        sureness=fit.sureness,
        residual=fit.residual,
        prior=decoded.prior,
    )


def _inside(points: DoubleArray, corners: tuple[Point, Point, Point, Point]) -> NDArray[np.bool_]:
    """`(k,)`: which points `(k, 2)` are in the quadrilateral."""
    polygon = np.array(corners)
    sides = np.roll(polygon, -1, axis=0) - polygon
    offsets = points[:, None, :] - polygon
    turns = sides[:, 0] * offsets[..., 1] - sides[:, 1] * offsets[..., 0]
    inside: NDArray[np.bool_] = np.all(turns > 0, axis=1) | np.all(turns < 0, axis=1)
    return inside
