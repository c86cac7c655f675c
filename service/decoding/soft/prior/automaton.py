"""A text model as a weighted automaton over bytes, small enough for forward-backward in numpy.

States are contexts: strings of up to a few bytes. A state has arcs of its own for some next bytes. For others it falls
back to the context without its first byte, which may fall back again; the empty context has arcs for all bytes. Arcs
and fallback add up to 1, so the automaton is a probability distribution over texts of every length. It is an
interpolated n-gram model (F. Jelinek, R. Mercer, "Interpolated estimation of Markov source parameters from sparse
data", 1980), written as a hidden Markov model.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MODEL_FILE: Final = Path(__file__).with_name("payload_model.npz")
NATS_PER_CODE: Final = 0.05
"""A stored weight is exp(-NATS_PER_CODE * code)."""
START: Final = 256
"""The symbol before the first byte in contexts."""
_DIGITS: Final = b"0123456789"
_CAPITALS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz" + _CAPITALS
_TOKENS: Final[tuple[tuple[bytes, float, float], ...]] = (
    (_DIGITS, 0.06, 0.08),
    (_DIGITS + b"abcdef", 0.03, 0.04),
    (_DIGITS + b"ABCDEF", 0.01, 0.06),
    (_DIGITS + _CAPITALS, 0.04, 0.08),
    (_DIGITS + _CAPITALS + b" $%*+-./:", 0.005, 0.02),
    (_DIGITS + _LETTERS[:26], 0.03, 0.06),
    (_DIGITS + _LETTERS, 0.05, 0.06),
    (_DIGITS + _LETTERS + b"-_+/", 0.02, 0.04),
    (bytes(range(256)), 0.01, 0.01),
)
"""Tokens without a grammar, such as numbers, identifiers, keys and arbitrary bytes: their alphabet, the share of the
empty context that begins such a token, and its probability to end after each character."""
_ARBITRARY: Final = 0.5
"""Share of messages that are arbitrary bytes from the first to the last."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """Contexts, the empty one first, then tokens; arcs in the order of their states."""

    chain: Ints
    """`(states, longest + 1)`: each state, the context to which it falls back, and so on; 0 after the last one."""
    shares: Floats
    """The same shape: the share of the state's mass that arrives at each context of its chain; 0 after the last one."""
    first: Ints
    """`(states + 1,)` index of the first arc of each state."""
    symbols: NDArray[np.uint8]
    """`(arcs,)`: the byte of each arc."""
    weights: Floats
    """`(arcs,)`; with the fallback, the weights of a state add up to 1."""
    targets: Ints
    """`(arcs,)` state after the byte."""
    sources: Ints
    """`(arcs,)` state before it."""
    begin: Floats
    """`(states,)` probabilities of the state before the first byte."""

    @property
    def states(self) -> int:
        """Number of contexts and tokens."""
        return len(self.chain)

    def fallen(self, states: Ints, mass: Floats) -> Floats:
        """`(states,)` mass that leaves each state by its own arcs, if `mass` `(k,)` arrives at `states` `(k,)`."""
        spread = self.shares[states] * mass[:, None]
        found = np.bincount(self.chain[states].ravel(), spread.ravel(), minlength=self.states)
        return np.asarray(found, dtype=np.float64)

    def risen(self, states: Ints, own: Floats) -> Floats:
        """`(k,)` values of `states` `(k,)`, including fallbacks, from the values `own` `(states,)` of their own
        arcs."""
        return np.asarray((self.shares[states] * own[self.chain[states]]).sum(axis=1))

    def arcs_of(self, states: Ints) -> Ints:
        """Arcs of these states, in their order."""
        begins = self.first[states]
        counts = self.first[states + 1] - begins
        ends = np.cumsum(counts)
        return np.asarray(
            np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begins - (ends - counts), counts)
        )

    def log_probability(self, text: bytes) -> float:
        """Natural logarithm of the probability of a text among those of its length."""
        states = np.flatnonzero(self.begin)
        mass = self.begin[states]
        total = 0.0
        for byte in text:
            whole = self.fallen(states, mass)
            arcs = self.arcs_of(np.flatnonzero(whole))
            arcs = arcs[self.symbols[arcs] == byte]
            states, mass = self.targets[arcs], whole[self.sources[arcs]] * self.weights[arcs]
            passed = float(mass.sum())
            total += float(np.log(passed))
            mass = mass / passed
        return total


@lru_cache(maxsize=1)
def payload_model() -> Automaton:
    """The released text model."""
    with np.load(MODEL_FILE, allow_pickle=False) as stored:
        return automaton(
            stored["prefixes"],
            stored["symbols"],
            stored["fallback"],
            stored["counts"],
            stored["bytes"],
            stored["weights"],
        )


def automaton(
    prefixes: NDArray[np.integer],
    symbols: NDArray[np.integer],
    fallback: NDArray[np.uint8],
    counts: NDArray[np.integer],
    arc_bytes: NDArray[np.uint8],
    weights: NDArray[np.uint8],
) -> Automaton:
    """The automaton of stored tables.

    `prefixes` and `symbols` `(states - 1,)`: every context except the empty one as an earlier, shorter context and its
    last byte, which is 256 before a text. `fallback` `(states,)`, `weights` `(arcs,)`: codes of weights
    (`NATS_PER_CODE`). `counts` `(states,)`: arcs of each state. `arc_bytes` `(arcs,)`.
    """
    states = len(prefixes) + 1
    parents = np.zeros(states, dtype=np.intp)
    following = np.zeros((states, 257), dtype=np.int32)
    before, after = prefixes.astype(np.intp), symbols.astype(np.intp)
    bounds = [0, 1]
    while bounds[-1] < states:
        # Contexts of one length: their prefixes are one byte shorter.
        begin = bounds[-1]
        within = (before[begin - 1 :] >= bounds[-2]) & (before[begin - 1 :] < begin)
        end = begin + (len(within) if within.all() else int(within.argmin()))
        if end == begin:
            raise ValueError("contexts must stand behind their prefixes, in the order of their length")
        new = np.arange(begin, end)
        shorter = following[parents[before[new - 1]], after[new - 1]]
        parents[new] = np.where(before[new - 1] == 0, 0, shorter)
        following[before[new - 1], after[new - 1]] = new
        following[new] = following[parents[new]]
        bounds.append(end)
    arc_weights = np.exp(-NATS_PER_CODE * weights.astype(np.float64))
    back = np.exp(-NATS_PER_CODE * fallback.astype(np.float64))
    back[0] = 0.0
    sources = np.repeat(np.arange(states), counts)
    total = np.bincount(sources, arc_weights, minlength=states) + back
    plain = _Arcs(
        sources, arc_bytes, arc_weights / total[sources], following[sources, arc_bytes].astype(np.intp)
    )
    return _with_tokens(plain, parents, back / total, int(following[0, START]))


class _Arcs(NamedTuple):
    sources: Ints
    symbols: NDArray[np.uint8]
    weights: Floats
    targets: Ints


def _with_tokens(plain: _Arcs, parents: Ints, fallback: Floats, start: int) -> Automaton:
    """Add tokens: states with arcs to themselves, entered from the empty context by further arcs."""
    states = len(parents)
    every = states + len(_TOKENS)
    shares = [share for _, share, _ in _TOKENS]
    pieces = [plain._replace(weights=np.where(plain.sources == 0, 1 - sum(shares), 1.0) * plain.weights)]
    for token, (alphabet, share, ending) in enumerate(_TOKENS, states):
        letters = np.frombuffer(alphabet, np.uint8)
        same = np.full(len(letters), token)
        entering = np.full(len(letters), share / len(letters))
        staying = np.full(len(letters), (1 - ending) / len(letters))
        pieces += [_Arcs(0 * same, letters, entering, same), _Arcs(same, letters, staying, same)]
    arcs = _joined(pieces)
    order = np.argsort(arcs.sources, kind="stable")
    arcs = _Arcs(arcs.sources[order], arcs.symbols[order], arcs.weights[order], arcs.targets[order])
    begin = np.zeros(every)
    begin[start], begin[-1] = 1 - _ARBITRARY, _ARBITRARY
    chain, chain_shares = _chains(
        np.concatenate([parents, np.zeros(len(_TOKENS), dtype=np.intp)]),
        np.concatenate([fallback, [ending for _, _, ending in _TOKENS]]),
    )
    return Automaton(
        chain=chain,
        shares=chain_shares,
        first=np.searchsorted(arcs.sources, np.arange(every + 1)),
        symbols=arcs.symbols,
        weights=arcs.weights,
        targets=arcs.targets,
        sources=arcs.sources,
        begin=begin,
    )


def _joined(pieces: list[_Arcs]) -> _Arcs:
    return _Arcs(
        np.concatenate([piece.sources for piece in pieces]),
        np.concatenate([piece.symbols for piece in pieces]),
        np.concatenate([piece.weights for piece in pieces]),
        np.concatenate([piece.targets for piece in pieces]),
    )


def _chains(parents: Ints, fallback: Floats) -> tuple[Ints, Floats]:
    places, shares = [np.arange(len(parents))], [np.ones(len(parents))]
    while (shares[-1] * fallback[places[-1]]).any():
        shares.append(shares[-1] * fallback[places[-1]])
        places.append(parents[places[-1]])
    return np.stack(places, axis=1), np.stack(shares, axis=1)
