"""What a caller expects of a payload, as a prior: a share of the messages follows it, the rest is as without.

A hint is written as its kind, a colon and its value:

    prefix:https://shop.example/    charset:0123456789ABCDEF    length:27    length:20-30
    regex:[A-Z]{2}\\d{6}             list: and the candidates, one a line

It is never forced. What is read against it is returned as well, and a wrong word takes as much evidence as without
(`joint.log_block_bound`).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft.characters import ALPHANUMERIC, Mode
from service.decoding.soft.prior.automaton import Automaton, payload_model
from service.decoding.soft.prior.patterns import Pattern, PatternError, compiled

Floats = NDArray[np.float64]
Kind = Literal["prefix", "charset", "length", "regex", "list"]

SHARE: Final = 0.7
"""Of the messages that follow a hint."""
MOST_CANDIDATES: Final = 100_000
_LONGEST: Final = 160
"""Bytes that are looked at; longer payloads follow no hint in the search."""
_MOST_TEXT: Final = 400
"""Bytes of a hint other than a list."""


class HintError(ValueError):
    """The hint is not understood; the message says why."""


@dataclass(frozen=True)
class Hint:
    """One hint."""

    kind: Kind
    value: str

    @property
    def lengths(self) -> tuple[int, int]:
        """Least and greatest number of bytes that it allows."""
        if self.kind != "length":
            return 1, 7089
        low, _, high = self.value.partition("-")
        return int(low), int(high or low)

    @property
    def modes(self) -> "tuple[Mode, ...]":
        """In which texts that follow it are looked for; a list's candidates have their own."""
        if self.kind == "length" or (self.kind == "charset" and self.value.isdigit()):
            return ("byte", "alphanumeric", "numeric")
        if self.kind == "charset" and all(byte in ALPHANUMERIC for byte in self.value.encode()):
            return ("byte", "alphanumeric")
        return ("byte",)

    @property
    def candidates(self) -> tuple[bytes, ...]:
        """Of a list; else none."""
        return _candidates(self.value) if self.kind == "list" else ()

    def matches(self, payload: bytes) -> bool:
        """Whether a payload is as expected."""
        if self.kind == "prefix":
            return payload.startswith(self.value.encode())
        if self.kind == "charset":
            return set(payload) <= set(self.value.encode())
        if self.kind == "length":
            low, high = self.lengths
            return low <= len(payload) <= high
        if self.kind == "regex":
            return _pattern(self.value).matches(payload)
        return payload in _members(self.value)


def hint(text: str) -> Hint:
    """The hint that is written so. Raises HintError."""
    kind, colon, value = text.partition(":")
    if not colon or kind not in ("prefix", "charset", "length", "regex", "list"):
        raise HintError("a hint is prefix:, charset:, length:, regex: or list:, and its value")
    if not value.strip("\n") and kind != "regex":
        raise HintError(f"{kind}: has no value")
    if kind != "list" and len(value.encode()) > _MOST_TEXT:
        raise HintError(f"{kind}: has more than {_MOST_TEXT} bytes")
    found = Hint(kind, value)  # type: ignore[arg-type]
    if kind == "length":
        _check_lengths(value)
    if kind == "regex":
        try:
            _pattern(value)
        except PatternError as error:
            raise HintError(f"regex: {error}") from error
    if kind == "list" and not 0 < len(found.candidates) <= MOST_CANDIDATES:
        raise HintError(f"list: holds 1 to {MOST_CANDIDATES:,} candidates, one a line")
    return found


def _check_lengths(value: str) -> None:
    low, dash, high = value.partition("-")
    numbers = [low, high] if dash else [low]
    if not all(number.isascii() and number.isdecimal() and len(number) <= 4 for number in numbers):
        raise HintError("length: is a number of bytes, or two with a dash between")
    if int(low) < 1 or (dash and int(high) < int(low)):
        raise HintError("length: goes from at least 1 to no less")


@lru_cache(maxsize=4)
def _candidates(value: str) -> tuple[bytes, ...]:
    lines = (line.removesuffix("\r").encode() for line in value.split("\n"))
    return tuple(dict.fromkeys(line for line in lines if line))


@lru_cache(maxsize=4)
def _members(value: str) -> frozenset[bytes]:
    return frozenset(_candidates(value))


@lru_cache(maxsize=16)
def _pattern(value: str) -> Pattern:
    return compiled(value)


@dataclass(frozen=True)
class TextPrior:
    """Texts in the byte mode that follow a hint: an automaton, which bytes it may pass, and what that leaves of it."""

    model: Automaton
    begin: Floats
    allowed: NDArray[np.bool_] | None
    """`(places, 256)`: bytes at each place, the last row from there on; None for any."""
    accepting: Floats | None
    """`(states,)` of 0 and 1: where a text may end; None for anywhere."""
    log_shares: Floats | None
    """`(longest + 1,)` logarithm of the share of the automaton's texts of each length that follow the hint; None where
    all do."""


@lru_cache(maxsize=8)
def text_prior(given: Hint) -> TextPrior | None:
    """The texts that follow a hint; None for a list, whose candidates are whole messages."""
    model = payload_model()
    if given.kind == "length":
        return TextPrior(model, model.begin, None, None, None)
    if given.kind == "list":
        return None
    if given.kind == "regex":
        return _of_pattern(_pattern(given.value))
    if given.kind == "prefix":
        letters = given.value.encode()
        allowed = np.zeros((len(letters) + 1, 256), dtype=bool)
        allowed[np.arange(len(letters)), np.frombuffer(letters, np.uint8)] = True
        allowed[-1] = True
    else:
        allowed = np.zeros((1, 256), dtype=bool)
        allowed[0, np.frombuffer(given.value.encode(), np.uint8)] = True
    return TextPrior(model, model.begin, allowed, None, _log_shares(model, model.begin, allowed, None))


def _of_pattern(pattern: Pattern) -> TextPrior:
    """The pattern's own automaton: each byte it allows as often as payloads hold it."""
    base = payload_model()
    usual = np.bincount(base.symbols[: base.first[1]], base.weights[: base.first[1]], minlength=256)
    sources, symbols = np.nonzero(pattern.following >= 0)
    weights = usual[symbols]
    states = len(pattern.following)
    totals = np.bincount(sources, weights, minlength=states)
    model = Automaton(
        chain=np.arange(states)[:, None],
        shares=np.ones((states, 1)),
        first=np.searchsorted(sources, np.arange(states + 1)),
        symbols=symbols.astype(np.uint8),
        weights=weights / totals[sources],
        targets=pattern.following[sources, symbols].astype(np.intp),
        sources=sources,
        begin=np.eye(states)[0],
    )
    accepting = pattern.accepting.astype(np.float64)
    return TextPrior(model, model.begin, None, accepting, _log_shares(model, model.begin, None, accepting))


def _log_shares(
    model: Automaton, begin: Floats, allowed: NDArray[np.bool_] | None, accepting: Floats | None
) -> Floats:
    """By length, over all arcs: what is divided by must not leave any out."""
    shares = np.full(_LONGEST + 1, -np.inf)
    states = np.flatnonzero(begin)
    mass, scale = begin[states], 0.0
    shares[0] = 0.0
    for place in range(_LONGEST):
        whole = model.fallen(states, mass)
        passed: Floats = whole[model.sources] * model.weights
        if allowed is not None:
            passed = passed * allowed[min(place, len(allowed) - 1)][model.symbols]
        total = float(passed.sum())
        if total <= 0.0:
            break
        at = np.bincount(model.targets, passed / total, minlength=model.states)
        scale += float(np.log(total))
        ending = 1.0 if accepting is None else float(at @ accepting)
        shares[place + 1] = scale + np.log(ending) if ending > 0 else -np.inf
        states, mass = np.flatnonzero(at), np.asarray(at[np.flatnonzero(at)], dtype=np.float64)
        if allowed is not None and accepting is None and place >= len(allowed) - 1 and allowed[-1].all():
            # Nothing is refused from here on.
            shares[place + 1 :] = scale
            break
    return shares


def encoded(candidate: bytes) -> "tuple[str, ...]":
    """The modes in which encoders write a candidate, the likeliest first."""
    if candidate.isdigit():
        return ("numeric", "byte")
    if all(byte in ALPHANUMERIC for byte in candidate):
        return ("alphanumeric", "byte")
    return ("byte",)
