"""Search for the likeliest code words of all blocks of a symbol, in stages, until each may be accepted.

The stages, cheapest first: bounded-distance decoding of the hard decisions, ordered statistics of order 2,
erasing ever more of the least reliable codewords (generalised minimum distance; G. D. Forney, IEEE Trans.
Inf. Theory 12, 1966), ordered statistics of order 4. Of a block's candidates the one with the least
discrepancy is kept, which is the likeliest, whichever stage found it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import acceptance, ordered_statistics, reed_solomon
from service.decoding.soft.effort import Effort
from service.decoding.soft.ordered_statistics import ReducedChecks

_BLOCKS_AT_ONCE = 8
"""Blocks whose checks are solved together. More blocks save calls; fewer allow to check the effort more often."""
_MATCHED_BANDS = 4
_CERTAIN = 4.0
"""Reliability of known bits in the search, in units of the largest received one."""


# In nominal milliseconds (see `effort`).
_HARD_WORK = 0.5
_SOLVING_WORK, _SOLVING_WORK_OF_A_BLOCK = 0.11, 0.04
"""For each check codeword."""
_PAIR_WORK, _MATCH_WORK = 5e-6, 5e-5
"""For each pair of guessed bits."""
_COUNTING_WORK = 4.0
_ERASURE_WORK = 0.09
"""For each check codeword."""


class BlockSearch:
    """The blocks of one symbol under one format hypothesis."""

    def __init__(
        self, llr: NDArray[np.float32], checks: int, log_limits: NDArray[np.float64], effort: Effort
    ) -> None:
        """`llr` `(blocks, n, 8)` as from `block_reliabilities`.

        `log_limits` `(blocks,)`: logarithms of the misread bounds to meet. `effort`: when it is exhausted no
        further trial begins.
        """
        self.checks = checks
        self._effort = effort
        self.log_limits = log_limits
        self.hard = llr > 0
        self.weights = np.abs(llr).astype(np.float64)
        finite = np.isfinite(llr)
        self._certain = np.float32(_CERTAIN * max(float(np.abs(llr[finite]).max(initial=0.0)), 1.0))
        self._llr = np.where(finite, llr, -self._certain)
        blocks, length, _ = llr.shape
        self.words = np.zeros((blocks, length), dtype=np.uint8)
        """Likeliest code word of each block so far; meaningless where `costs` is infinite."""
        self.costs = np.full(blocks, np.inf)
        """Its discrepancy in nats."""
        self.log_bounds = np.zeros(blocks)
        """Natural logarithm of the bound on the probability that it is wrong."""
        self.fixed = np.full((blocks, length), -1, dtype=np.int16)
        """Codewords that the message's length fixes, -1 elsewhere."""
        self._log_choices = 0.0
        self._solved: dict[int, ReducedChecks] = {}
        self.stage = "hard decisions"
        """The last stage that was needed."""

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """`(blocks,)`: whether the misread bound is met."""
        return self.log_bounds <= self.log_limits

    @property
    def late(self) -> bool:
        return self._effort.exhausted

    @property
    def signed(self) -> NDArray[np.float32]:
        """`(blocks, n, 8)` log-likelihood ratios that the search works on."""
        return self._llr

    def hopeless(self, share: float) -> bool:
        """Whether the bits of an open block leave more in doubt than (1 + `share`) times its redundancy can resolve."""
        still_open = ~self.accepted
        surplus = acceptance.log_expected_words(np.abs(self._llr[still_open]).astype(np.float64), self.checks)
        return bool((surplus > share * 8 * self.checks * np.log(2)).any())

    def suppose(self, values: NDArray[np.int16]) -> None:
        """Treat codewords `(blocks, n)` as certain in later stages; -1 where nothing is known."""
        bits = np.unpackbits(np.maximum(values, 0).astype(np.uint8)[:, :, None], axis=2)
        certain = np.where(bits == 1, self._certain, -self._certain)
        self._llr = np.where(values[:, :, None] >= 0, certain, self._llr).astype(np.float32)
        for block in np.flatnonzero((values >= 0).any(axis=1)).tolist():
            self._solved.pop(block, None)

    def fix(self, values: NDArray[np.int16], log_choices: float) -> None:
        """Shorten the code by known codewords `(blocks, n)`, -1 elsewhere; candidates that differ are dropped.

        `log_choices`: if the words that are to be confirmed chose these codewords, the logarithm of the number of
        possible choices; 0 if the codewords were known before.
        """
        self.fixed = values
        self._log_choices = log_choices
        wrong = ((values >= 0) & (self.words != values)).any(axis=1)
        self.costs[wrong] = np.inf
        self._judge(np.arange(len(self.words)))

    def decode_hard(self) -> None:
        """Bounded-distance decoding of every block."""
        self._effort.spend(_HARD_WORK + 0.02 * len(self.words))
        words = np.packbits(self._llr > 0, axis=2)[:, :, 0]
        found = reed_solomon.syndromes(words, self.checks)
        broken = np.flatnonzero(found.any(axis=1))
        right = np.ones(len(words), dtype=bool)
        if len(broken):
            none_erased = np.zeros((len(broken), words.shape[1]), dtype=bool)
            words[broken], right[broken] = reed_solomon.correct(
                words[broken], none_erased, self.checks, found[broken]
            )
        self._offer(np.flatnonzero(right), words[right])

    def decode_erasures(self) -> None:
        """Erase the 2, 4, 6 ... least reliable codewords of the open blocks, all at once."""
        self.stage = "erasures"
        numbers = np.arange(2, self.checks + 1, 2)
        for block in np.flatnonzero(~self.accepted):
            if self.late:
                return
            self._effort.spend(_ERASURE_WORK * self.checks)
            llr = self._llr[block]
            rank = np.empty(len(llr), dtype=np.intp)
            rank[acceptance.erasure_order(np.abs(llr[None]).astype(np.float64))[0]] = np.arange(len(llr))
            word = np.packbits(llr > 0, axis=1)[:, 0]
            words, right = reed_solomon.correct(
                np.repeat(word[None], len(numbers), axis=0), rank[None, :] < numbers[:, None], self.checks
            )
            words = np.unique(words[right], axis=0)
            self._offer(np.full(len(words), block), words)

    def decode_ordered(self) -> None:
        """Ordered statistics of order 2 for the open blocks."""
        self.stage = "order 2"
        for block, reduced in self._reduced():
            self._effort.spend(_PAIR_WORK * len(reduced.guessed) ** 2)
            self._offer_bits(block, ordered_statistics.order_two(reduced))

    def decode_matched(self) -> None:
        """Ordered statistics of order 4 for the open blocks, band after band."""
        self.stage = "order 4"
        for block, reduced in self._reduced():
            for band in range(_MATCHED_BANDS):
                if self.late:
                    return
                self._effort.spend(_MATCH_WORK * len(reduced.guessed) ** 2)
                bits = ordered_statistics.order_four(reduced, band)
                if bits is not None:
                    self._offer_bits(block, bits)
                if self.accepted[block]:
                    break

    def _reduced(self) -> Iterator[tuple[int, ReducedChecks]]:
        """The solved checks of the open blocks, until the effort is exhausted; kept until more codewords are known."""
        missing = [block for block in np.flatnonzero(~self.accepted).tolist() if block not in self._solved]
        for start in range(0, len(missing), _BLOCKS_AT_ONCE):
            if self.late:
                break
            chosen = missing[start : start + _BLOCKS_AT_ONCE]
            self._effort.spend(self.checks * (_SOLVING_WORK + _SOLVING_WORK_OF_A_BLOCK * len(chosen)))
            llr = self._llr[chosen].reshape(len(chosen), -1)
            solved = ordered_statistics.reduced_checks(llr, self.checks)
            self._solved.update(zip(chosen, solved, strict=True))
        for block in np.flatnonzero(~self.accepted).tolist():
            if block in self._solved:
                yield block, self._solved[block]

    def _offer_bits(self, block: int, bits: NDArray[np.bool_]) -> None:
        self._offer(np.array([block]), np.packbits(bits)[None])

    def _offer(self, blocks: NDArray[np.intp], words: NDArray[np.uint8]) -> None:
        """Keep code words `(count, n)` for the blocks `(count,)` in which they are the likeliest so far."""
        wrong = np.unpackbits(words[:, :, None], axis=2).astype(bool) != self.hard[blocks]
        costs = np.where(wrong, self.weights[blocks], 0.0).sum(axis=(1, 2))
        changed = []
        for candidate in np.argsort(-costs, kind="stable"):
            block = blocks[candidate]
            if costs[candidate] < self.costs[block]:
                self.costs[block], self.words[block] = costs[candidate], words[candidate]
                changed.append(block)
        self._judge(np.unique(np.array(changed, dtype=np.intp)))

    def _judge(self, blocks: NDArray[np.intp]) -> None:
        if len(blocks) == 0:
            return
        wrong = np.unpackbits(self.words[blocks][:, :, None], axis=2).astype(bool) != self.hard[blocks]
        fixed = self.fixed[blocks] >= 0
        # A later word with other codewords there does not belong to the shortened code.
        fixed &= ~(fixed & (self.words[blocks] != self.fixed[blocks])).any(axis=1)[:, None]
        weights = np.where(fixed[:, :, None], np.inf, self.weights[blocks])
        bounds = acceptance.log_misread_bounds(weights, wrong & ~fixed[:, :, None], self.checks)
        missing = bounds + self._log_choices - self.log_limits[blocks]
        for i in np.flatnonzero((missing > 0) & (missing < acceptance.COUNTING_GAINS)).tolist():
            self._effort.spend(_COUNTING_WORK)
            counted = acceptance.log_counted_bound(weights[i], wrong[i] & ~fixed[i, :, None], self.checks)
            bounds[i] = min(bounds[i], counted)
        bounds = np.minimum(bounds + self._log_choices, 0.0)
        self.log_bounds[blocks] = np.where(np.isfinite(self.costs[blocks]), bounds, 0.0)
