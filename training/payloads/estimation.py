"""From payloads to the tables of the text model: n-gram counts, discounted, pruned and quantised."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.characters import ALPHANUMERIC
from service.decoding.soft.prior.automaton import NATS_PER_CODE, START

Floats = NDArray[np.float64]

LONGEST: Final = 4
"""Bytes of the longest context."""
_DISCOUNT: Final = 0.8
"""Subtracted from every count (H. Ney, U. Essen, R. Kneser, "On structuring probabilistic dependences in stochastic
language modelling", 1994), because a sequence that was drawn once or twice says little."""
_LEAST_FALLBACK: Final = 0.06
"""Least weight of the fallback of every context, because real payloads vary more than the grammars."""
_UNIFORM: Final = 0.06
"""Uniform share of the empty context, so that no byte is impossible."""
_BASE: Final = 512


@dataclass(frozen=True, slots=True)
class Tables:
    """The arguments of `service.decoding.soft.prior.automaton.automaton`."""

    prefixes: NDArray[np.uint16]
    symbols: NDArray[np.uint16]
    fallback: NDArray[np.uint8]
    counts: NDArray[np.uint16]
    bytes: NDArray[np.uint8]
    weights: NDArray[np.uint8]
    alphanumeric: NDArray[np.uint8]
    """`(46, 45)`: see `service.decoding.soft.prior.characters`."""


def estimated(payloads: Iterable[bytes], arcs: int) -> Tables:
    """Tables with about `arcs` arcs, not counting those of the empty context.

    The arcs that increase the likelihood of the payloads most are kept.
    """
    drawn = list(payloads)
    found = _counted(drawn)
    threshold = _threshold(found, arcs)
    return _tables(found, threshold, _alphanumeric(drawn))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts of one context length: contexts as numbers to the base `_BASE`, the next bytes, and their frequencies."""

    contexts: NDArray[np.int64]
    bytes: NDArray[np.int64]
    counts: NDArray[np.int64]


def _counted(payloads: Iterable[bytes]) -> list[_Counts]:
    pieces, places = [], []
    for payload in payloads:
        pieces.append(np.array([START]))
        pieces.append(np.frombuffer(payload, np.uint8).astype(np.int64))
        places.append(np.arange(len(payload) + 1))
    symbols, place = np.concatenate(pieces), np.concatenate(places)
    found = []
    context = np.zeros(len(symbols), dtype=np.int64)
    for length in range(LONGEST + 1):
        if length:
            shifted = np.roll(symbols, length) * _BASE ** (length - 1)
            context = context + shifted
        valid = (place >= max(length, 1)) & (symbols != START)
        keys, counts = np.unique(context[valid] * _BASE + symbols[valid], return_counts=True)
        found.append(_Counts(keys // _BASE, keys % _BASE, counts))
    return found


def _threshold(found: list[_Counts], arcs: int) -> float:
    """Gain in nats below which an arc is dropped, so that about `arcs` are left."""
    low, high = 0.0, 1e6
    for _ in range(14):
        middle = math.sqrt((low + 1) * (high + 1)) - 1
        kept = sum(len(bytes_) for _, bytes_, _, _ in _chosen(found, middle).values())
        low, high = (middle, high) if kept > arcs else (low, middle)
    return high


Kept = dict[int, tuple[int, NDArray[np.int64], Floats, float]]
"""By context: its length, the next bytes, their weights, the weight of the fallback."""


def _chosen(found: list[_Counts], threshold: float) -> Kept:
    """The contexts that are kept, by `length * _BASE ** (LONGEST + 1) + number`, shortest first."""
    offset = _BASE ** (LONGEST + 1)
    empty = np.full(256, _UNIFORM / 256)
    unigram = np.zeros(256)
    unigram[found[0].bytes] = found[0].counts / found[0].counts.sum()
    empty += (1 - _UNIFORM) * unigram
    distributions: dict[int, Floats] = {0: empty}
    kept: Kept = {}
    for length in range(1, LONGEST + 1):
        level = found[length]
        starts = np.flatnonzero(np.diff(level.contexts, prepend=-1))
        ends = np.append(starts[1:], len(level.contexts))
        totals = np.add.reduceat(level.counts, starts)
        for start, end, total in zip(starts.tolist(), ends.tolist(), totals.tolist(), strict=True):
            if total * 4 < threshold:
                continue
            number = int(level.contexts[start])
            parent = (length - 1) * offset * (length > 1) + number % _BASE ** (length - 1)
            prefix = (length - 1) * offset * (length > 1) + number // _BASE
            if parent not in distributions or prefix not in distributions:
                continue
            lower = distributions[parent]
            symbols, counts = level.bytes[start:end], level.counts[start:end]
            discounted = np.maximum(counts - _DISCOUNT, 0) / total
            left = max(1 - float(discounted.sum()), _LEAST_FALLBACK)
            wanted = discounted * (1 - left) / max(float(discounted.sum()), 1e-12) + left * lower[symbols]
            gain = counts * np.log(wanted / lower[symbols])
            best = gain > threshold
            if not best.any():
                continue
            symbols, wanted = symbols[best], wanted[best]
            rest, lower_rest = 1 - float(wanted.sum()), 1 - float(lower[symbols].sum())
            back = min(max(rest / max(lower_rest, 1e-9), _LEAST_FALLBACK), 0.98)
            own = np.maximum(wanted - back * lower[symbols], 1e-6)
            own *= (1 - back) / own.sum()
            kept[length * offset + number] = (length, symbols, own, back)
            whole = back * lower
            whole[symbols] += own
            distributions[length * offset + number] = whole
    kept[0] = (0, np.arange(256), empty, 0.0)
    return kept


def _tables(found: list[_Counts], threshold: float, alphanumeric: NDArray[np.uint8]) -> Tables:
    kept = _chosen(found, threshold)
    offset = _BASE ** (LONGEST + 1)
    keys = sorted(kept)
    index = {key: place for place, key in enumerate(keys)}
    prefixes, symbols, counts, fallback, arc_bytes, weights = [], [], [], [], [], []
    for key in keys:
        length, bytes_, own, back = kept[key]
        if length:
            number = key - length * offset
            prefixes.append(index[(length - 1) * offset * (length > 1) + number // _BASE])
            symbols.append(number % _BASE)
        counts.append(len(bytes_))
        fallback.append(_codes(np.array([back]))[0])
        arc_bytes.append(bytes_.astype(np.uint8))
        weights.append(_codes(own))
    return Tables(
        np.array(prefixes, dtype=np.uint16),
        np.array(symbols, dtype=np.uint16),
        np.array(fallback, dtype=np.uint8),
        np.array(counts, dtype=np.uint16),
        np.concatenate(arc_bytes),
        np.concatenate(weights),
        alphanumeric,
    )


def _alphanumeric(payloads: Iterable[bytes]) -> NDArray[np.uint8]:
    """A bigram of the payloads that fit the 45 characters, converted to capitals if needed; a tenth of it is uniform."""
    places = np.full(256, -1)
    places[np.frombuffer(ALPHANUMERIC, np.uint8)] = np.arange(45)
    counts = np.zeros((46, 45))
    for payload in payloads:
        if len(payload) > 60 and not payload.startswith(b"HC1:"):
            continue
        values = places[np.frombuffer(payload.upper(), np.uint8)]
        if (values >= 0).all():
            np.add.at(counts, (np.append(45, values[:-1]), values), 1.0)
    chances = 0.9 * (counts + 1e-9) / (counts + 1e-9).sum(axis=1, keepdims=True) + 0.1 / 45
    return _codes(chances)


def _codes(weights: Floats) -> NDArray[np.uint8]:
    return np.clip(np.rint(-np.log(np.maximum(weights, 1e-30)) / NATS_PER_CODE), 0, 255).astype(np.uint8)
