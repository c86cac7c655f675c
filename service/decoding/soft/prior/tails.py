"""The bits after the characters of a message: terminator, zero bits, pads (ISO/IEC 18004:2015, clauses 7.4.9 and
7.4.10)."""

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.bitstream import PADS, paddings

Floats = NDArray[np.float64]

_STANDARD, _LED_BY_ZERO, _OTHER = 0.86, 0.12, 0.02
"""Shares of the standard's padding, of padding with a zero codeword before the pads (see `paddings`), and of others."""


class Tails:
    """Evidence for the message to end at each bit."""

    def __init__(self, evidence: Floats) -> None:
        """`evidence` `(bits, 2)` of the bits of the data codewords in their order."""
        self._bits = len(evidence)
        total = self._bits // 8
        self._total = total
        pads = np.unpackbits(np.array(PADS, dtype=np.uint8)[:, None], axis=1)
        octets = evidence.reshape(total, 8, 2)
        each = np.stack([np.where(pad == 1, octets[..., 1], octets[..., 0]).sum(axis=1) for pad in pads])
        # Pads from codeword c on, the first one at c.
        turns = np.arange(total) % 2
        runs = []
        for parity in (0, 1):
            matching = np.where(turns == parity, each[0], each[1])
            runs.append(np.append(np.cumsum(matching[::-1])[::-1], 0.0))
        starts = np.arange(total + 1)
        self._run = np.where(starts % 2 == 0, runs[0][starts], runs[1][starts])
        self._zeros = np.concatenate([[0.0], np.cumsum(evidence[:, 0])])
        # Arbitrary bits: half the sum of the evidence for 0 and for 1, which is 1 if a bit is not pinned.
        self._any = np.concatenate([[0.0], np.cumsum(np.logaddexp.reduce(evidence, axis=1) - np.log(2))])

    def log_evidence(self, ends: NDArray[np.intp]) -> Floats:
        """`(k,)` logarithm of the evidence for a message to end before each bit of `ends` `(k,)`."""
        parts = self._parts(ends)
        return np.asarray(np.logaddexp(np.logaddexp(parts[0], parts[1]), parts[2]))

    def _parts(self, ends: NDArray[np.intp]) -> Floats:
        """`(3, k)`: the logarithm for each kind of padding."""
        terminator = np.minimum(ends + 4, self._bits)
        start = np.minimum(-(-(ends + 4) // 8), self._total)
        cut = self._zeros[8 * start] - self._zeros[ends]
        short = self._zeros[terminator] - self._zeros[ends]
        led = (start < self._total) & ((ends + 4) % 8 == 0)
        after = np.minimum(start + 1, self._total)
        zero = self._zeros[8 * after] - self._zeros[8 * start]
        anything = self._any[-1] - self._any[terminator]
        other = np.where(terminator == self._bits, -np.inf, np.log(_OTHER) + short + anything)
        standard = np.where(terminator == self._bits, 1.0, np.where(led, _STANDARD, _STANDARD + _LED_BY_ZERO))
        led_by_zero = np.where(led, np.log(_LED_BY_ZERO) + cut + zero + self._run[after], -np.inf)
        return np.stack([np.log(standard) + cut + self._run[start], led_by_zero, other])

    def add_marginals(self, end: int, weight: float, present: Floats, ones: Floats) -> None:
        """Add `weight` times the probabilities that bits are known, and that they are 1, if the message ends at
        `end`."""
        parts = self._parts(np.array([end]))[:, 0]
        shares = np.exp(parts - np.logaddexp.reduce(parts)) * weight
        start, tails = paddings(end, self._total)
        present[end : 8 * start] += weight - shares[2]
        present[end : min(end + 4, 8 * start)] += shares[2]
        for share, tail in zip(shares, tails, strict=False):
            present[8 * start :] += share
            ones[8 * start :] += share * np.unpackbits(np.frombuffer(tail, np.uint8))
