"""From logits and a fitted grid to the log-likelihood ratio of every module."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.refinement import Fit, rectified, softened

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class SoftCalibration:
    """The log-likelihood ratios of a generator's logits, measured on known symbols.

    Piecewise linear, constant beyond the ends. A positive logit means light in the picture, and `llr` is
    log P(light) / P(dark), so both ascend.
    """

    logit: tuple[float, ...]
    llr: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raises ValueError if the table is invalid."""
        if len(self.logit) != len(self.llr) or len(self.logit) < 2:
            raise ValueError("a calibration needs at least two logits and as many log-likelihood ratios")
        if np.any(np.diff(self.logit) <= 0) or np.any(np.diff(self.llr) < 0):
            raise ValueError("a calibration's logits and log-likelihood ratios must ascend")


TYPICAL = SoftCalibration(
    (-8.0, -5.0, -4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0),
    (-7.4, -7.2, -6.7, -5.3, -3.8, -1.9, -0.9, 0.0, 0.9, 1.9, 3.8, 5.3, 6.7, 7.2, 7.4),
)
"""For a generator without a table of its own; measured on the compact one (docs/reader.md, "Sample").

A mean over a module carries more information than one pixel, hence the factor of nearly two. Certainty is limited to
about 1 in 1,600, because symbols get damaged.
"""


def calibrated_llr(logits: FloatArray, calibration: SoftCalibration) -> FloatArray:
    """Same shape as `logits`: log P(light) / P(dark)."""
    return np.interp(logits, calibration.logit, calibration.llr).astype(np.float32)


def sampled(logits: FloatArray, fit: Fit, calibration: SoftCalibration) -> FloatArray:
    """`(n, n) float32` log P(dark) / P(light) of the symbol's modules, positive for dark.

    Logits are averaged per module with a Gaussian of 0.2 module; then the table is applied.
    """
    return np.float32(-fit.sign) * calibrated_llr(softened(rectified(logits, fit.grid)), calibration)
