"""Runs of characters in one mode: how well each length of a run agrees with the soft bits, and what its bits are then.

Every run answers two questions. `log_evidence[n]`: logarithm of the sum over all texts of n characters of the text's
probability times the evidence for its bits. `marginals(ends)`: given the logarithm of what follows each length, the
probability that each bit of the run belongs to it and that it is 1.
"""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.prior.characters import alphanumeric_model, double_byte_model
from service.decoding.soft.prior.evidence import bits_of, byte_likelihoods, value_evidence
from service.decoding.soft.prior.hints import TextPrior

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_NEGLIGIBLE: Final = 1e-6
"""Share of the forward mass below which a state is no longer followed."""
_ARCS_OF_A_PLACE: Final = 1000
"""What a byte costs beside its arcs, in arcs."""
_BYTE_BITS: Final = bits_of(8, 256)


class Run(Protocol):
    """Characters from one bit on."""

    log_evidence: Floats
    """`(longest + 1,)`; of the empty run 0."""
    work: int
    """Arcs that were followed."""

    def again(self, evidence: Floats) -> "Run":
        """The same run on other evidence, with nothing followed that was not followed here."""
        ...

    def marginals(self, ends: Floats) -> tuple[Floats, Floats]:
        """From `ends` `(longest + 1,)`, logarithms that include all that is no part of the run: `(bits,)` probability
        that the bit is of the run, and that it is of the run and 1. Where the lengths' total is 1, they are absolute.
        """
        ...


class ByteRun:
    """Bytes, by the text model: forward-backward over its states (L. E. Baum et al., Ann. Math. Stat. 41, 1970)."""

    def __init__(
        self,
        evidence: Floats,
        start: int,
        longest: int,
        texts: TextPrior,
        followed: "list[Ints] | None" = None,
    ) -> None:
        """`texts`: the texts that are followed. `followed`: arcs at each place, where they are not to be found here."""
        self._start, self._texts, model = start, texts, texts.model
        self._given = byte_likelihoods(evidence, start, longest)
        if texts.allowed is not None:
            self._given *= texts.allowed[np.minimum(np.arange(longest), len(texts.allowed) - 1)]
        self._followed: list[Ints] = []
        self._passed: list[Floats] = []
        self.log_evidence = np.full(longest + 1, -np.inf)
        self.log_evidence[0] = scale = 0.0
        self._scales = [0.0]
        states: Ints = np.flatnonzero(texts.begin)
        mass: Floats = texts.begin[states]
        for place in range(longest):
            whole = model.fallen(states, mass)
            arcs = followed[place] if followed else model.arcs_of(np.flatnonzero(whole > _NEGLIGIBLE))
            passed = (
                whole[model.sources[arcs]] * model.weights[arcs] * self._given[place][model.symbols[arcs]]
            )
            total = float(passed.sum())
            if total <= 0.0:
                break
            kept = np.flatnonzero(passed > (_NEGLIGIBLE * total if followed is None else 0.0))
            arcs, passed = arcs[kept], passed[kept]
            total = float(passed.sum())
            mass = np.asarray(passed / total, dtype=np.float64)
            states = np.asarray(model.targets[arcs])
            self._followed.append(arcs)
            self._passed.append(mass)
            scale += float(np.log(total))
            self._scales.append(scale)
            ending = 1.0 if texts.accepting is None else float(mass @ texts.accepting[states])
            if ending > 0.0:
                self.log_evidence[place + 1] = scale + float(np.log(ending))
        self.log_evidence -= self._log_shares(longest)
        self.work = sum(map(len, self._followed)) + _ARCS_OF_A_PLACE * len(self._followed)

    def again(self, evidence: Floats) -> "ByteRun":
        longest = len(self._followed)
        again = ByteRun(evidence, self._start, longest, self._texts, self._followed)
        again.log_evidence = np.pad(
            again.log_evidence, (0, len(self.log_evidence) - 1 - longest), constant_values=-np.inf
        )
        return again

    def marginals(self, ends: Floats) -> tuple[Floats, Floats]:
        texts, model = self._texts, self._texts.model
        longest = len(ends) - 1
        ends = ends - self._log_shares(longest)
        present = np.zeros(8 * longest)
        ones = np.zeros(8 * longest)
        # What follows each state after `place` bytes is exp(ends[place]) and, times exp(scale), what `own` of the arcs
        # from there rises to.
        scale, own = -np.inf, np.zeros(model.states)
        for place in range(len(self._followed) - 1, -1, -1):
            arcs, passed = self._followed[place], self._passed[place]
            top = max(scale, float(ends[place + 1]))
            if top == -np.inf:
                continue
            targets = model.targets[arcs]
            onward = np.full(len(arcs), np.exp(ends[place + 1] - top))
            if texts.accepting is not None:
                onward *= texts.accepting[targets]
            if scale > -np.inf:
                onward += np.exp(scale - top) * model.risen(targets, own)
            joint = np.bincount(model.symbols[arcs], passed * onward, minlength=256)
            joint *= np.exp(min(self._scales[place + 1] + top, 50.0))
            present[8 * place : 8 * place + 8] = joint.sum()
            ones[8 * place : 8 * place + 8] = joint @ _BYTE_BITS
            given = model.weights[arcs] * self._given[place][model.symbols[arcs]] * onward
            peak = max(float(given.max()), 1e-300)
            weight = np.asarray(given / peak, dtype=np.float64)
            own = np.bincount(model.sources[arcs], weight, model.states).astype(np.float64)
            scale = top + float(np.log(peak))
        return present, ones

    def _log_shares(self, longest: int) -> Floats:
        """What the evidence of each length is divided by; lengths of which no text is followed have none."""
        shares = self._texts.log_shares
        if shares is None:
            return np.zeros(longest + 1)
        found = np.full(longest + 1, np.inf)
        size = min(longest + 1, len(shares))
        found[:size] = np.where(np.isfinite(shares[:size]), shares[:size], np.inf)
        return found


class AlphanumericRun:
    """Pairs of the 45 characters in 11 bits, by a bigram or evenly."""

    def __init__(self, evidence: Floats, start: int, longest: int) -> None:
        self._start = start
        self._model = alphanumeric_model()
        pairs = longest // 2
        places = start + 11 * np.arange(pairs)
        self._pairs = np.exp(value_evidence(evidence, places, 11, 45 * 45)).reshape(-1, 45, 45)
        singles = start + 11 * np.arange((longest + 1) // 2)
        self._singles = np.exp(value_evidence(evidence, singles, 6, 45))
        self.log_evidence = np.full(longest + 1, -np.inf)
        self.log_evidence[0] = 0.0
        self.work = 250 * pairs + 500
        self._even_pairs = np.log(np.maximum(self._pairs.mean(axis=(1, 2)), 1e-300)).tolist()
        self._even_singles = np.log(np.maximum(self._singles.mean(axis=1), 1e-300)).tolist()
        self._forward = []
        state, scale, even = self._model.begin, 0.0, 0.0
        for pair in range(pairs + 1):
            self._forward.append((state, scale, even))
            first = state @ self._model.following
            if 2 * pair + 1 <= longest:
                known = np.log(max(float(first @ self._singles[pair]), 1e-300)) + scale
                alike = self._even_singles[pair] + even
                self.log_evidence[2 * pair + 1] = np.logaddexp(known, alike) + np.log(0.5)
            if pair == pairs:
                break
            joint = first[:, None] * self._model.following[:45] * self._pairs[pair]
            total = max(float(joint.sum()), 1e-300)
            state = np.append(joint.sum(axis=0) / total, 0.0)
            scale += float(np.log(total))
            even += self._even_pairs[pair]
            self.log_evidence[2 * pair + 2] = np.logaddexp(scale, even) + np.log(0.5)

    def again(self, evidence: Floats) -> "AlphanumericRun":
        return AlphanumericRun(evidence, self._start, len(self.log_evidence) - 1)

    def marginals(self, ends: Floats) -> tuple[Floats, Floats]:
        longest = len(ends) - 1
        pairs = longest // 2
        size = 11 * pairs + 6 * (longest % 2)
        present, ones = np.zeros(size), np.zeros(size)
        after, scale, even = np.zeros(46), -np.inf, -np.inf
        following = self._model.following
        half = np.log(0.5)
        for pair in range(pairs, -1, -1):
            state, before, before_even = self._forward[pair]
            at = 11 * pair
            onward, onward_even = after, even
            parts: list[tuple[float, Floats]] = []
            if pair < pairs and np.isfinite(scale):
                step = following[:45] * self._pairs[pair] * onward[None, :45]
                joint = (state @ following)[:, None] * step
                weight = np.exp(min(before + scale + half, 50.0))
                flat = self._pairs[pair] * (np.exp(min(before_even + onward_even + half, 50.0)) / 2025)
                both = (joint * weight + flat).ravel()
                present[at : at + 11] += both.sum()
                ones[at : at + 11] += both @ bits_of(11, 2025)
                parts.append((scale, following @ step.sum(axis=1)))
                even = onward_even + self._even_pairs[pair]
            else:
                even = -np.inf
            odd = 2 * pair + 1
            if odd <= longest and np.isfinite(ends[odd]):
                single = self._singles[pair]
                end = float(ends[odd])
                joint = (state @ following) * single * np.exp(min(before + end + half, 50.0))
                joint += single / 45 * np.exp(min(before_even + end + half, 50.0))
                present[at : at + 6] += joint.sum()
                ones[at : at + 6] += joint @ bits_of(6, 45)
                parts.append((end, following @ single))
                even = np.logaddexp(even, end + self._even_singles[pair])
            end = float(ends[2 * pair])
            if np.isfinite(end):
                parts.append((end, np.ones(46)))
                even = np.logaddexp(even, end)
            if not parts:
                after, scale = np.zeros(46), -np.inf
                continue
            top = max(part for part, _ in parts)
            after = sum((np.exp(part - top) * value for part, value in parts), np.zeros(46))
            peak = max(float(after.max()), 1e-300)
            after, scale = after / peak, top + float(np.log(peak))
        return present, ones


class IndependentRun:
    """Characters that say nothing of one another: digits by threes, kanji, hanzi."""

    def __init__(
        self,
        evidence: Floats,
        start: int,
        longest: int,
        groups: "tuple[tuple[int, int], ...]",
        weights: "tuple[Floats, ...]",
    ) -> None:
        """`groups`: characters and bits of a whole group and of each smaller one that may end a run. `weights`: the
        probability of each value of such a group."""
        self._start, self._groups, self._weights = start, groups, weights
        size, width = groups[0]
        whole = longest // size
        places = start + width * np.arange(-(-longest // size))
        self._values = []
        totals = []
        for (characters, bits), chances in zip(groups, weights, strict=True):
            fitting = places[: whole if characters == size else (longest - characters) // size + 1]
            values = np.exp(value_evidence(evidence, fitting, bits, len(chances))) * chances
            self._values.append(values)
            totals.append(np.log(np.maximum(values.sum(axis=1), 1e-300)))
        self._totals = totals
        self._before = np.concatenate([[0.0], np.cumsum(totals[0])])
        self.log_evidence = np.zeros(longest + 1)
        self.log_evidence[::size] = self._before[: whole + 1]
        for (characters, _), ending in zip(groups[1:], totals[1:], strict=True):
            self.log_evidence[characters::size] = self._before[: len(ending)] + ending
        self.work = sum(values.size for values in self._values) // 8 + 1000

    def again(self, evidence: Floats) -> "IndependentRun":
        return IndependentRun(evidence, self._start, len(self.log_evidence) - 1, self._groups, self._weights)

    def marginals(self, ends: Floats) -> tuple[Floats, Floats]:
        size, width = self._groups[0]
        longest = len(ends) - 1
        weight = np.exp(np.minimum(ends + self.log_evidence, 50.0))
        weight[~np.isfinite(ends)] = 0.0
        present, ones = np.zeros(width * -(-longest // size)), np.zeros(width * -(-longest // size))
        reach = np.cumsum(weight[::-1])[::-1]
        for group in range(longest // size):
            share = reach[size * (group + 1)]
            values = self._values[0][group]
            at = width * group
            present[at : at + width] += share
            ones[at : at + width] += (
                share * (values @ bits_of(width, len(values))) / max(values.sum(), 1e-300)
            )
        for (characters, bits), values_of in zip(self._groups[1:], self._values[1:], strict=True):
            for group in range(len(values_of)):
                length = size * group + characters
                if length > longest or weight[length] == 0.0:
                    continue
                values, at = values_of[group], width * group
                present[at : at + bits] += weight[length]
                ones[at : at + bits] += (
                    weight[length] * (values @ bits_of(bits, len(values))) / max(values.sum(), 1e-300)
                )
        return present, ones


def numeric_run(evidence: Floats, start: int, longest: int) -> IndependentRun:
    """Digits, three in ten bits, two in seven, one in four."""
    weights = tuple(np.full(10**digits, 10.0**-digits) for digits in (3, 1, 2))
    return IndependentRun(evidence, start, longest, ((3, 10), (1, 4), (2, 7)), weights)


def double_byte_run(evidence: Floats, start: int, longest: int, mode: str) -> IndependentRun:
    """Kanji or hanzi, 13 bits each."""
    return IndependentRun(evidence, start, longest, ((1, 13),), (double_byte_model(mode),))
