"""All messages that a symbol may hold, weighted by what is known of payloads and by its data's soft bits.

A message is a chain of runs: mode indicator, count, characters; then terminator and pads. The chains are followed as a
tree: the first run in each mode; then, from the likeliest ends, a next run, and again. What is negligible is left out
when the tree is built, from the soft bits of the data alone, and stays out: the weights of the messages that are left
add up to at most 1, which is all that the misread bound asks of them.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.characters import DATA_MODES, Mode, length_in_bits
from service.decoding.soft.codewords import Level, block_structure
from service.decoding.soft.prior.automaton import Automaton, payload_model
from service.decoding.soft.prior.candidates import Candidates
from service.decoding.soft.prior.evidence import IMPOSSIBLE, bit_evidence, bits_of, pinned
from service.decoding.soft.prior.hints import SHARE, Hint, TextPrior, text_prior
from service.decoding.soft.prior.runs import AlphanumericRun, ByteRun, Run, double_byte_run, numeric_run
from service.decoding.soft.prior.tails import Tails

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]

_MODE_SHARES: Final[dict[Mode, float]] = {
    "byte": 0.76,
    "alphanumeric": 0.1,
    "numeric": 0.1,
    "kanji": 0.03,
    "hanzi": 0.01,
}
# Before the first run: bits that are fixed, further bits that are free, share.
_OPENINGS: Final[tuple[tuple[str, int, float], ...]] = (
    ("", 0, 0.93),
    ("0111" + f"{26:08b}", 0, 0.02),
    ("01110", 7, 0.01),
    ("0101", 0, 0.03),
    ("0011", 16, 0.01),
)
_GOES_ON: Final = 0.1
"""Share of the runs after which another comes."""
_FITTING: Final = 0.75
"""Share of the messages whose symbol is the smallest of its level that holds them; the rest may have any length."""
_NEGLIGIBLE: Final = 12.0
"""Nats below the likeliest at which a length is not followed."""
_UNLIKELY: Final = 5.0
"""The same for an opening, a mode and an end from which a next run is looked for, each a pass of its own."""
_WITHOUT_WEIGHT: Final = 1e-4
"""Posterior of a run below which its bits are not asked for."""
_NO_MESSAGE: Final = 0.5 * IMPOSSIBLE
_DEEPEST: Final = 3
"""Runs in a chain."""
_MOST_BRANCHES: Final = 6
"""Ends from which a next run is looked for, for each place in the chain."""
_MOST_RUNS: Final = 16
"""Runs in the tree, so that its time is bounded."""


@dataclass
class _Node:
    """One run of a chain, and what comes before it."""

    mode: Mode
    start: int
    """First bit of its mode indicator."""
    width: int
    """Bits of its count."""
    log_in: float
    """Logarithm of the weight and evidence of all before this run's mode indicator, of the indicator and the mode."""
    log_out: Floats
    """`(longest + 1,)`: share of each length among runs that end the message; -inf where it is not followed."""
    log_on: Floats
    """The same among runs after which another comes."""
    run: Run
    branches: "dict[int, list[_Node]]" = field(default_factory=dict)
    """By length: what comes after it."""

    @property
    def head(self) -> int:
        return self.start + 4 + self.width

    @property
    def lengths(self) -> NDArray[np.intp]:
        return np.arange(len(self.log_out))

    def ends(self) -> NDArray[np.intp]:
        return self.head + _sizes(self.mode, len(self.log_out) - 1)


class Trellis:
    """The messages of one symbol under one format word."""

    def __init__(
        self, llr: NDArray[np.floating], version: int, level: Level, hint: Hint | None = None
    ) -> None:
        """`llr` `(8 * data codewords,)`: log P(1) / P(0) of the data bits in the order of the message. `hint`: what the
        payload is expected to be."""
        self._model: Automaton = payload_model()
        self._hint = hint
        self._candidates: Candidates | None = None
        self._version, self._level = version, level
        self.evidence = bit_evidence(llr)
        self._bits = len(self.evidence)
        tails = Tails(self.evidence)
        self._roots: list[tuple[str, int, float, list[_Node]]] = []
        openings = []
        for fixed, free, share in _OPENINGS:
            if len(fixed) + free + 12 < self._bits:
                openings.append(
                    (np.log(share) + self._opening(self.evidence, fixed, free), fixed, free, share)
                )
        best = max(weight for weight, *_ in openings)
        level_nodes: list[_Node] = []
        for weight, fixed, free, share in openings:
            if weight < best - _UNLIKELY:
                continue
            nodes = self._nodes(len(fixed) + free, weight, first=True, tails=tails)
            level_nodes += nodes
            self._roots.append((fixed, free, share, nodes))
        if hint is not None:
            self._expect(hint, tails)
        for _ in range(_DEEPEST - 1):
            level_nodes = self._grown(level_nodes, tails, _MOST_RUNS - len(self._all()))
        self.log_evidence = self._total(self.evidence)
        """Logarithm of the sum over all messages of weight times evidence."""

    @property
    def work(self) -> int:
        """Arcs that were followed."""
        listed = 0 if self._candidates is None else len(self._candidates) * self._bits // 64
        return sum(node.run.work for node in self._all()) + listed

    def _expect(self, hint: Hint, tails: Tails) -> None:
        """Adds the messages that follow a hint, with their share; all others keep the rest."""
        rest = float(np.log(1 - SHARE))
        self._roots = [(fixed, free, share * (1 - SHARE), nodes) for fixed, free, share, nodes in self._roots]
        for *_, nodes in self._roots:
            for node in nodes:
                node.log_in += rest
        if hint.kind == "list":
            self._candidates = Candidates(hint.candidates, self._version, self._bits // 8)
            return
        nodes = []
        for mode in hint.modes:
            indicator, widths = next(
                (key, widths) for key, (name, widths) in DATA_MODES.items() if name == mode
            )
            width = widths[(self._version > 9) + (self._version > 26)]
            longest = min(_longest(mode, self._bits - 4 - width), 2**width - 1)
            if longest < 1:
                continue
            log_in = float(np.log(SHARE * _MODE_SHARES[mode])) + self._fixed(
                self.evidence, 0, f"{indicator:04b}"
            )
            made = self._node(log_in, mode, 0, width, longest, first=True, tails=tails, hint=hint)
            if made is not None:
                nodes.append(made)
        self._roots.append(("", 0, SHARE, nodes))

    def log_share(self, bits: Bits, known: NDArray[np.bool_], given: NDArray[np.bool_]) -> float:
        """Logarithm of the share of messages with these bits where `known`, among those with these where `given`.

        Evidence included: the posterior probability of the known bits, given the others and the soft bits of all data.
        All arrays `(8 * data codewords,)`; what is given is known as well.
        """
        some = self._total(pinned(self.evidence, bits, given)) if given.any() else self.log_evidence
        return self._total(pinned(self.evidence, bits, known | given)) - some

    def posterior(self, llr: NDArray[np.floating]) -> Floats:
        """`(bits,)` log P(1) / P(0) of each data bit given all soft bits of the data and what is known of payloads."""
        present, ones = np.zeros(self._bits), np.zeros(self._bits)
        tails = Tails(self.evidence)
        for fixed, _, _, nodes in self._roots:
            share = 0.0
            for node in nodes:
                share += self._marginals(node, tails, present, ones)
            at = len(fixed)
            present[:at] += share
            ones[:at] += share * np.array([int(bit) for bit in fixed])
        if self._candidates is not None:
            log_total = self.log_evidence - float(np.log(SHARE))
            self._candidates.add_marginals(self.evidence, log_total, present, ones)
        # Bits of messages that leave them free, or of none that was followed, are what they seem.
        rest = np.clip(1 - present, 1e-12, 1.0)
        alone = 1 / (1 + np.exp(-np.clip(llr, -35, 35)))
        one = np.clip(ones, 0.0, None) + rest * alone
        zero = np.clip(present - ones, 0.0, None) + rest * (1 - alone)
        return np.asarray(np.log(np.maximum(one, 1e-12)) - np.log(np.maximum(zero, 1e-12)))

    def _all(self) -> list[_Node]:
        found = [node for *_, nodes in self._roots for node in nodes]
        for node in found:
            for more in node.branches.values():
                found += more
        return found

    def _nodes(self, start: int, weight: float, *, first: bool, tails: Tails) -> list[_Node]:
        """Runs that begin at a bit, in every mode that is not negligible."""
        found = []
        modes = []
        for indicator, (mode, widths) in DATA_MODES.items():
            head = f"{indicator:04b}" + ("0001" if mode == "hanzi" else "")
            width = widths[(self._version > 9) + (self._version > 26)]
            longest = _longest(mode, self._bits - start - len(head) - width)
            if longest >= 1:
                log_in = weight + np.log(_MODE_SHARES[mode]) + self._fixed(self.evidence, start, head)
                modes.append((log_in, mode, len(head), width, min(longest, 2**width - 1)))
        if not modes:
            return []
        best = max(log_in for log_in, *_ in modes)
        for log_in, mode, size, width, longest in modes:
            if log_in < best - _UNLIKELY:
                continue
            made = self._node(log_in, mode, start + size - 4, width, longest, first=first, tails=tails)
            if made is not None:
                found.append(made)
        return found

    def _node(
        self,
        log_in: float,
        mode: Mode,
        start: int,
        width: int,
        longest: int,
        *,
        first: bool,
        tails: Tails,
        hint: Hint | None = None,
    ) -> _Node | None:
        at = start + 4 + width
        chances = self._length_chances(mode, at, longest) if first else np.full(longest + 1, 1 / longest)
        if hint is not None and hint.kind == "length":
            low, high = hint.lengths
            chances[:] = 0.0
            chances[low : high + 1] = 1.0 / (high + 1 - low)
        chances[0] = 0.0
        log_out = np.log(np.maximum(chances, 1e-300)) + np.log(1 - _GOES_ON)
        log_on = np.full(longest + 1, -np.log(longest) + np.log(_GOES_ON))
        counts = self._count_evidence(self.evidence, at - width, width, longest)
        # How plausible each length is before the characters are looked at.
        ends = at + _sizes(mode, longest)
        outlook = np.maximum(log_out + tails.log_evidence(ends), log_on) + counts
        outlook[0] = log_on[0] = log_out[0] = -np.inf
        followed = outlook > outlook.max() - _NEGLIGIBLE
        if not followed.any():
            return None
        longest = int(np.flatnonzero(followed)[-1])
        log_out, log_on = (np.where(followed, one, -np.inf)[: longest + 1] for one in (log_out, log_on))
        run: Run
        if mode == "byte":
            begin = self._model.begin if first else self._begin_within()
            texts = text_prior(hint) if hint is not None else None
            run = ByteRun(
                self.evidence, at, longest, texts or TextPrior(self._model, begin, None, None, None)
            )
        elif mode == "alphanumeric":
            run = AlphanumericRun(self.evidence, at, longest)
        elif mode == "numeric":
            run = numeric_run(self.evidence, at, longest)
        else:
            run = double_byte_run(self.evidence, at, longest, mode)
        return _Node(mode, start, width, log_in, log_out, log_on, run)

    def _begin_within(self) -> Floats:
        """Before bytes that another run precedes: any text, or any bytes."""
        begin = np.zeros(self._model.states)
        begin[0], begin[-1] = 0.7, 0.3
        return begin

    def _grown(self, nodes: list[_Node], tails: Tails, most: int) -> list[_Node]:
        """The next runs after the likeliest ends of these, about `most` of them."""
        ends = []
        for node in nodes:
            weights = node.log_in + self._counts(self.evidence, node) + node.log_on + node.run.log_evidence
            finals = node.log_in + self._counts(self.evidence, node) + node.log_out + node.run.log_evidence
            finals = finals + tails.log_evidence(node.ends())
            ends += [
                (float(weights[n]), float(finals[n]), node, n)
                for n in np.flatnonzero(np.isfinite(weights)).tolist()
            ]
        if not ends:
            return []
        best = max(max(weight, final) for weight, final, _, _ in ends)
        ends = [end for end in ends if end[0] > best - _UNLIKELY]
        ends.sort(key=lambda end: -end[0])
        grown: list[_Node] = []
        for weight, _, node, length in ends[:_MOST_BRANCHES]:
            if len(grown) >= most:
                break
            more = self._nodes(int(node.ends()[length]), weight, first=False, tails=tails)
            if more:
                node.branches[length] = more
                grown += more
        return grown

    def _total(self, evidence: Floats) -> float:
        """Logarithm of the sum over all messages followed of their weight and evidence."""
        same = evidence is self.evidence
        tails = Tails(evidence)
        total = -np.inf
        for fixed, free, share, nodes in self._roots:
            weight = np.log(share) + self._opening(evidence, fixed, free) if not same else 0.0
            for node in nodes:
                log_in = node.log_in if same else weight + self._own(evidence, node)
                if log_in < _NO_MESSAGE:
                    continue
                total = np.logaddexp(total, self._below(evidence, node, log_in, tails, same=same))
        if self._candidates is not None:
            listed = self._candidates.log_evidence(evidence)
            total = np.logaddexp(total, np.log(SHARE) + listed)
        return float(total)

    def _own(self, evidence: Floats, node: _Node) -> float:
        """Weight and evidence of a run's mode."""
        indicator = next(key for key, (mode, _) in DATA_MODES.items() if mode == node.mode)
        head = f"{indicator:04b}" + ("0001" if node.mode == "hanzi" else "")
        return float(np.log(_MODE_SHARES[node.mode])) + self._fixed(
            evidence, node.start + 4 - len(head), head
        )

    def _below(self, evidence: Floats, node: _Node, log_in: float, tails: Tails, *, same: bool) -> float:
        run = node.run if same else node.run.again(evidence)
        reached = log_in + self._counts(evidence, node) + run.log_evidence
        total = float(np.logaddexp.reduce(reached + node.log_out + tails.log_evidence(node.ends())))
        for length, more in node.branches.items():
            weight = float(reached[length] + node.log_on[length])
            if weight < _NO_MESSAGE:
                continue
            for child in more:
                child_in = child.log_in if same else weight + self._own(evidence, child)
                total = np.logaddexp(total, self._below(evidence, child, child_in, tails, same=same))
        return total

    def _marginals(self, node: _Node, tails: Tails, present: Floats, ones: Floats) -> float:
        """Adds the posterior of this run's bits and of all behind it; returns the posterior of the run itself."""
        counts = self._counts(self.evidence, node)
        before = node.log_in + counts - self.log_evidence
        ends = node.ends()
        final = before + node.log_out + tails.log_evidence(ends)
        weights = np.exp(np.minimum(final + node.run.log_evidence, 50.0))
        if not node.branches and weights.sum() < _WITHOUT_WEIGHT:
            return 0.0
        for length in np.flatnonzero(weights > 1e-5).tolist():
            tails.add_marginals(int(ends[length]), float(weights[length]), present, ones)
        for length, more in node.branches.items():
            share = sum(self._marginals(child, tails, present, ones) for child in more)
            weights[length] += share
            # What follows this length, as if it were an end of the message.
            given = float(before[length] + node.run.log_evidence[length])
            extra = np.log(max(share, 1e-300)) - given + before[length]
            final[length] = np.logaddexp(final[length], extra)
        known, one = node.run.marginals(final)
        room = min(len(known), self._bits - node.head)
        present[node.head : node.head + room] += known[:room]
        ones[node.head : node.head + room] += one[:room]
        total = float(weights.sum())
        indicator = next(key for key, (mode, _) in DATA_MODES.items() if mode == node.mode)
        at = node.head
        present[at - node.width : at] += total
        table = bits_of(node.width, len(weights))
        ones[at - node.width : at] += weights @ table
        head = f"{indicator:04b}" + ("0001" if node.mode == "hanzi" else "")
        begin = at - node.width - len(head)
        present[begin : at - node.width] += total
        ones[begin : at - node.width] += total * np.array([int(bit) for bit in head])
        return total

    def _length_chances(self, mode: Mode, head: int, longest: int) -> Floats:
        """`(longest + 1,)`: most symbols are the smallest that hold their message."""
        chances = np.full(longest + 1, (1 - _FITTING) / longest)
        least = 1
        if self._version > 1:
            least = (
                _longest(mode, 8 * block_structure(self._version - 1, self._level).data_codewords - head) + 1
            )
        least = min(max(least, 1), longest)
        chances[least:] += _FITTING / (longest + 1 - least)
        return chances

    def _counts(self, evidence: Floats, node: _Node) -> Floats:
        return self._count_evidence(evidence, node.head - node.width, node.width, len(node.log_out) - 1)

    @staticmethod
    def _count_evidence(evidence: Floats, at: int, width: int, longest: int) -> Floats:
        ones = bits_of(width, longest + 1)
        zero, one = evidence[at : at + width].T
        return np.asarray(zero.sum() + ones @ (one - zero))

    def _opening(self, evidence: Floats, fixed: str, free: int) -> float:
        """Of the bits before the first run: those that are free are any, evenly."""
        at = len(fixed)
        anything = np.logaddexp.reduce(evidence[at : at + free], axis=1) - np.log(2)
        return self._fixed(evidence, 0, fixed) + float(anything.sum())

    @staticmethod
    def _fixed(evidence: Floats, at: int, bits: str) -> float:
        return float(sum(evidence[at + place, int(bit)] for place, bit in enumerate(bits)))


def _longest(mode: Mode, bits: int) -> int:
    """Characters that fit so many bits."""
    if bits < 4:
        return 0
    if mode == "numeric":
        return 3 * (bits // 10) + (2 if bits % 10 >= 7 else 1 if bits % 10 >= 4 else 0)
    if mode == "alphanumeric":
        return 2 * (bits // 11) + (bits % 11 >= 6)
    return bits // (8 if mode == "byte" else 13)


@lru_cache(maxsize=256)
def _sizes(mode: Mode, longest: int) -> NDArray[np.intp]:
    """`(longest + 1,)` bits of so many characters."""
    return np.array([length_in_bits(mode, count) for count in range(longest + 1)], dtype=np.intp)
