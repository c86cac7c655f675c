"""Joint source and channel decoding: the soft bits together with what is known of payloads.

The data's soft bits and the payload model give the posterior of every message (`trellis`); its bits go into ordered
statistics in place of the data's own; a block that is accepted makes the posterior of the others sharper. A wrong
message's check bits have nothing to do with what was received, so they alone vouch for the right one:
`log_block_bound`, and docs/reader.md, section "Decode with a payload model".
"""

import math
from collections.abc import Iterator
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import acceptance, bitstream, codewords, ordered_statistics
from service.decoding.soft.characters import BitStreamError
from service.decoding.soft.decode import Decoded, decoded, likely_formats
from service.decoding.soft.effort import Effort
from service.decoding.soft.format_information import FormatHypothesis
from service.decoding.soft.prior.hints import Hint
from service.decoding.soft.prior.trellis import Trellis

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]

_MOST_FORMATS: Final = 2
"""Format words tried; all count against the misread bound."""
MOST_DATA: Final = 160
"""Data codewords beyond which forward and backward passes take longer than they are worth."""
_LEAST_DOUBT: Final = 0.15
"""Share of the data's doubt that a payload model leaves at the least."""
_LEAST_DOUBT_OF_A_HINT: Final = 0.02
"""The same with a hint."""
_HOPELESS: Final = 0.5
"""Share of the limit's logarithm by which a block's redundancy must exceed what its bits, the payload model included,
leave in doubt. They leave less than their sum, since they depend on one another."""
_BANDS: Final = 2
_CERTAIN: Final = 35.0

# Nominal milliseconds (see `effort`).
_WORK_OF_AN_ARC: Final = 1.2e-4
_SOLVING_WORK: Final = 0.16
_ORDER_TWO_WORK, _ORDER_FOUR_WORK = 0.6, 5.0
_JUDGING_WORK: Final = 1.5


def outlook(llr: NDArray[np.float32], version: int, hint: Hint | None = None) -> float:
    """Nats by which a symbol's doubt exceeds what its redundancy settles, were the payload as predictable as can be.

    Infinite where there is no symbol or one too large. What is above the limit's logarithm cannot be accepted.
    """
    formats = likely_formats(llr, 1)
    if not formats:
        return math.inf
    word = formats[0]
    structure = codewords.block_structure(version, word.level)
    if structure.data_codewords > MOST_DATA:
        return math.inf
    soft = codewords.block_reliabilities(llr, version, word.level, word.mask)
    weights = np.abs(soft).astype(np.float64)
    data = structure.length - structure.checks
    surplus = acceptance.log_expected_words(weights[:, data:], structure.checks)
    least = _LEAST_DOUBT if hint is None else _LEAST_DOUBT_OF_A_HINT
    surplus = surplus + least * acceptance.log_expected_words(weights[:, :data], 0)
    return float(surplus.min())


def decode_with_prior(
    llr: NDArray[np.float32],
    version: int,
    effort: Effort,
    *,
    hypotheses: int = 1,
    limit: float = acceptance.DEFAULT_LIMIT,
    hint: Hint | None = None,
) -> Decoded | None:
    """Decodes one symbol that `decode_modules` could not; arguments as there. `hint`: what the payload may be."""
    if outlook(llr, version, hint) > log(limit):
        return None
    formats = likely_formats(llr, _MOST_FORMATS)
    for word in formats:
        if codewords.block_structure(version, word.level).data_codewords > MOST_DATA:
            continue
        log_trials = log(hypotheses * len(formats))
        found = _Attempt(llr, version, word, log(limit) - log_trials, effort, hint).decode()
        if found is None:
            continue
        words, log_bound = found
        data = codewords.data_stream(words, version, word.level)
        try:
            message = bitstream.parse(data.tobytes(), version)
        except BitStreamError:
            continue
        if not message.exact_padding:
            continue
        soft = codewords.block_reliabilities(llr, version, word.level, word.mask)
        hard = np.packbits(soft > 0, axis=2)[:, :, 0]
        return decoded(llr, words, hard, version, word, message, "prior", log_bound + log_trials, prior=True)
    return None


class _Attempt:
    """One symbol under one format word."""

    def __init__(
        self,
        llr: NDArray[np.float32],
        version: int,
        word: FormatHypothesis,
        log_limit: float,
        effort: Effort,
        hint: Hint | None = None,
    ) -> None:
        self._hint = hint
        self._version, self._level = version, word.level
        self._log_limit, self._effort = log_limit, effort
        structure = codewords.block_structure(version, word.level)
        self._checks, self._data = structure.checks, structure.length - structure.checks
        self._blocks = structure.blocks
        soft = codewords.block_reliabilities(llr, version, word.level, word.mask)
        self._soft = np.where(np.isfinite(soft), soft, -_CERTAIN).astype(np.float64)
        self._present = codewords.interleaving(version, word.level)[:, : self._data] >= 0
        self._of_block = np.repeat(np.nonzero(self._present)[0], 8)
        """`(bits,)`: to which block each data bit belongs."""

    def decode(self) -> tuple[Bits, float] | None:
        """`(blocks, n)` code words and the logarithm of the bound on any of them being wrong."""
        words = np.zeros(self._soft.shape[:2], dtype=np.uint8)
        accepted = np.zeros(self._blocks, dtype=bool)
        total = -math.inf
        while not accepted.all():
            if self._effort.exhausted:
                return None
            data = self._soft[:, : self._data][self._present].reshape(-1)
            trellis = Trellis(data, self._version, self._level, self._hint)
            self._effort.spend(_WORK_OF_AN_ARC * trellis.work)
            posterior = self._soft.copy()
            posterior[:, : self._data][self._present] = trellis.posterior(data).reshape(-1, 8)
            before = accepted.copy()
            for block, word, log_bound in self._found(trellis, posterior, words, accepted):
                words[block], accepted[block] = word, True
                total = float(np.logaddexp(total, log_bound))
            if (accepted == before).all():
                return None
            bits = np.unpackbits(words[:, :, None], axis=2)
            self._soft[accepted] = np.where(bits[accepted] == 1, _CERTAIN, -_CERTAIN)
        return words, total

    def _found(
        self, trellis: Trellis, posterior: Floats, words: Bits, accepted: NDArray[np.bool_]
    ) -> Iterator[tuple[int, Bits, float]]:
        """Blocks that may be accepted given those that are: number, code word and bound, one after the other.

        `words` and `accepted` are those at the time.
        """
        surplus = acceptance.log_expected_words(np.abs(posterior), self._checks)
        still_open = np.flatnonzero(~accepted)
        for block in still_open[np.argsort(surplus[still_open], kind="stable")].tolist():
            if surplus[block] > _HOPELESS * self._log_limit or self._effort.exhausted:
                return
            # Any block may be the next one, after any so many others, by the posterior from before or from after these
            # were accepted: each way has its part of the limit.
            ways = (
                self._blocks**2
                * math.comb(self._blocks - 1, int(accepted.sum()))
                * (2 if accepted.any() else 1)
            )
            for word in self._candidates(posterior[block]):
                log_bound = log(ways) + self._log_bound(trellis, block, word, words, accepted)
                if log_bound <= self._log_limit:
                    yield block, word, log_bound
                    break

    def _candidates(self, llr: Floats) -> Iterator[Bits]:
        """Code words near the posterior of a block's bits `(n, 8)`."""
        self._effort.spend(_SOLVING_WORK * self._checks + _ORDER_TWO_WORK)
        reduced = ordered_statistics.reduced_checks(llr.reshape(1, -1).astype(np.float32), self._checks)[0]
        seen = set()
        found = np.packbits(ordered_statistics.order_two(reduced))
        seen.add(found.tobytes())
        yield found
        for band in range(_BANDS):
            if self._effort.exhausted:
                return
            self._effort.spend(_ORDER_FOUR_WORK)
            bits = ordered_statistics.order_four(reduced, band)
            if bits is not None and (found := np.packbits(bits)).tobytes() not in seen:
                seen.add(found.tobytes())
                yield found

    def _log_bound(
        self, trellis: Trellis, block: int, word: Bits, words: Bits, accepted: NDArray[np.bool_]
    ) -> float:
        self._effort.spend(_JUDGING_WORK)
        bits = np.unpackbits(word[:, None], axis=1)
        checks = self._soft[block, self._data :]
        wrong = (bits[self._data :] == 1) != (checks > 0)
        log_chance = log_chance_of_checks(np.abs(checks), wrong)
        # The model's part, which is dear, can only make it worse.
        if log_chance > self._log_limit:
            return 0.0
        every = np.unpackbits(words[:, : self._data, None], axis=2)
        every[block] = bits[: self._data]
        share = trellis.log_share(
            every[self._present].reshape(-1), self._of_block == block, accepted[self._of_block]
        )
        return log_block_bound(log_chance, share)


def log_block_bound(log_chance: float, log_share: float) -> float:
    """Logarithm of the bound on a wrong word being accepted with so much evidence, for one block.

    `log_share`: posterior of the word's data by the data's soft bits and any prior, whose sum over all words is at
    most 1. `log_chance`: of check bits by chance to agree as well as the word's do. Whatever the prior, the soft bits
    and the search, if a word is accepted where chance <= limit * share, then by the union over all words

        P(any wrong word is accepted) <= sum of P(chance <= limit * share) <= sum of limit * share <= limit.
    """
    return min(log_chance - log_share, 0.0)


def log_chance_of_checks(weights: Floats, wrong: NDArray[np.bool_]) -> float:
    """Logarithm of at least the probability that random check bits contradict no more than these do.

    `weights` `(p, 8)`: reliabilities |llr|; `wrong`, the same shape: where the word's check bits contradict the hard
    decisions. By Chernoff's bound, and by counting where that decides (`acceptance`), which bound the same chance.
    """
    checks = len(weights)
    estimated = acceptance.log_words_as_near(weights, wrong, checks)
    counted = acceptance.log_counted_bound(weights, wrong, checks) - log(3)
    return min(estimated, counted, 0.0)
