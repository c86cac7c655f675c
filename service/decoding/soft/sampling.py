"""From logits under a fitted grid to the log-likelihood ratio of every module."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.refinement import Fit, rectified, softened

FloatArray = NDArray[np.float32]

_LARGEST = 12.0
"""Of a log-likelihood ratio: no module of a picture is surer than this."""


@dataclass(frozen=True)
class SoftCalibration:
    """What a generator's logits are worth, measured on symbols that are known.

    Piecewise linear, constant beyond the ends. A positive logit says light in the picture; `llr` is
    log P(light) / P(dark) there, so both ascend.
    """

    logit: tuple[float, ...]
    llr: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raises ValueError when the table is no table."""
        if len(self.logit) != len(self.llr) or len(self.logit) < 2:
            raise ValueError("a calibration needs at least two logits and as many log-likelihood ratios")
        if np.any(np.diff(self.logit) <= 0) or np.any(np.diff(self.llr) < 0):
            raise ValueError("a calibration's logits and log-likelihood ratios must ascend")


TRUSTING = SoftCalibration((-_LARGEST, _LARGEST), (-_LARGEST, _LARGEST))
"""Takes logits for log-likelihood ratios as they are: a generator trained by cross-entropy means them so."""


def sampled(logits: FloatArray, fit: Fit, calibration: SoftCalibration) -> FloatArray:
    """`(n, n) float32` log P(dark) / P(light) of the symbol's modules, positive for dark.

    Logits are averaged per module under a Gaussian of 0.2 module, then put through the table.
    """
    means = softened(rectified(logits, fit.grid))
    light = np.interp(means, calibration.logit, calibration.llr)
    return (-fit.sign * light).astype(np.float32)
