"""Regular expressions over bytes, compiled to a deterministic automaton.

What is understood: characters, `.`, classes with ranges and negation, `\\d \\w \\s` and their capitals, groups,
`|`, and the quantifiers `? * + {m} {m,} {m,n}`; `^` at the beginning and `$` at the end say what is so anyway.
Nothing refers back, so compiling ends, and matching takes one step a byte (K. Thompson, "Regular expression
search algorithm", Commun. ACM 11, 1968).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LONGEST: Final = 200
"""Characters of an expression."""
_MOST_REPEATS: Final = 200
_MOST_STATES: Final = 200
_ANY: Final = frozenset(range(256)) - {0x0A}
_CLASSES: Final = {
    "d": frozenset(b"0123456789"),
    "w": frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "s": frozenset(b" \t\r\n\f\v"),
}
_ESCAPES: Final = {"n": 0x0A, "r": 0x0D, "t": 0x09}


class PatternError(ValueError):
    """The expression is not understood, or too large."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A deterministic automaton. State 0 is the first."""

    following: NDArray[np.int32]
    """`(states, 256)`: the state after each byte, -1 where none of the expression's texts goes on so."""
    accepting: NDArray[np.bool_]
    """`(states,)`"""

    def matches(self, text: bytes) -> bool:
        """Whether the whole of the text is one that the expression describes."""
        state = 0
        for byte in text:
            state = int(self.following[state, byte])
            if state < 0:
                return False
        return bool(self.accepting[state])


def compiled(expression: str) -> Pattern:
    """Raises PatternError where the expression is not understood or takes too many states."""
    if len(expression) > _LONGEST:
        raise PatternError(f"more than {_LONGEST} characters")
    parser = _Parser(expression.removeprefix("^"))
    graph = parser.graph
    begin, end = parser.alternatives()
    if parser.at < len(parser.text):
        raise PatternError("a closing bracket without an opening one")
    return _deterministic(graph, begin, end)


@dataclass
class _Graph:
    """A nondeterministic automaton: free steps, and steps over one of a set of bytes."""

    free: list[list[int]] = field(default_factory=list)
    steps: list[list[tuple[frozenset[int], int]]] = field(default_factory=list)

    def state(self) -> int:
        if len(self.free) >= 8 * _MOST_STATES:
            raise PatternError("too many repetitions")
        self.free.append([])
        self.steps.append([])
        return len(self.free) - 1


Part = tuple[int, int]
"""First and last state."""


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.graph = _Graph()

    def alternatives(self) -> Part:
        begin, end = self.graph.state(), self.graph.state()
        while True:
            first, last = self._sequence()
            self.graph.free[begin].append(first)
            self.graph.free[last].append(end)
            if self._peek() != "|":
                return begin, end
            self.at += 1

    def _sequence(self) -> Part:
        begin = end = self.graph.state()
        while (letter := self._peek()) not in ("", "|", ")"):
            if letter == "$" and self.at == len(self.text) - 1:
                self.at += 1
                break
            first, last = self._repeated()
            self.graph.free[end].append(first)
            end = last
        return begin, end

    def _repeated(self) -> Part:
        before = self.at
        part = self._atom()
        least, most = self._quantifier()
        if (least, most) == (1, 1):
            return part
        if self._peek() in ("?", "*", "+", "{"):
            raise PatternError("a quantifier without anything before it")
        behind = self.at
        begin = end = self.graph.state()
        for number in range(least if most is None else most):
            self.at = before
            first, last = part if number == 0 else self._atom()
            self.graph.free[end].append(first)
            if number >= least:
                skipped = self.graph.state()
                self.graph.free[end].append(skipped)
                self.graph.free[last].append(skipped)
                last = skipped
            end = last
        if most is None:
            self.at = before
            first, last = part if least == 0 else self._atom()
            loop = self.graph.state()
            self.graph.free[end].append(loop)
            self.graph.free[loop].append(first)
            self.graph.free[last].append(loop)
            end = loop
        self.at = behind
        return begin, end

    def _quantifier(self) -> tuple[int, int | None]:
        letter = self._peek()
        simple: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
        if letter in simple:
            self.at += 1
            return simple[letter]
        if letter != "{":
            return 1, 1
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : max(end, 0)].partition(",")
        if end < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            raise PatternError("braces hold a number or two")
        self.at = end + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
            raise PatternError(f"repetitions go from few to many, up to {_MOST_REPEATS}")
        return least, most

    def _atom(self) -> Part:
        letter = self._take()
        if letter == "(":
            if self.text.startswith("?:", self.at):
                self.at += 2
            elif self._peek() == "?":
                raise PatternError("only plain groups are understood")
            part = self.alternatives()
            if self._take() != ")":
                raise PatternError("a bracket that is not closed")
            return part
        if letter == "[":
            return self._step(self._class())
        if letter == ".":
            return self._step(_ANY)
        if letter == "\\":
            return self._step(self._escape())
        if letter in ("*", "+", "?", "{", "^", "$"):
            raise PatternError(f"{letter} stands where it means nothing")
        return self._bytes(letter.encode())

    def _bytes(self, data: bytes) -> Part:
        begin = end = self.graph.state()
        for byte in data:
            following = self.graph.state()
            self.graph.steps[end].append((frozenset([byte]), following))
            end = following
        return begin, end

    def _step(self, allowed: frozenset[int]) -> Part:
        begin, end = self.graph.state(), self.graph.state()
        self.graph.steps[begin].append((allowed, end))
        return begin, end

    def _escape(self) -> frozenset[int]:
        letter = self._take()
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter.lower() in _CLASSES:
            return frozenset(range(256)) - _CLASSES[letter.lower()]
        if letter in _ESCAPES:
            return frozenset([_ESCAPES[letter]])
        if not letter.isascii() or letter.isalnum():
            raise PatternError(f"\\{letter} is not understood")
        return frozenset([ord(letter)])

    def _class(self) -> frozenset[int]:
        negated = self._peek() == "^"
        self.at += negated
        found: set[int] = set()
        first = True
        while (letter := self._take()) != "]" or first:
            first = False
            members = self._escape() if letter == "\\" else self._one(letter)
            if (
                self._peek() == "-"
                and self.text[self.at + 1 : self.at + 2] not in ("]", "")
                and len(members) == 1
            ):
                self.at += 1
                last = self._take()
                end = self._escape() if last == "\\" else self._one(last)
                low, high = min(members), min(end)
                if len(end) != 1 or high < low:
                    raise PatternError("a range goes from a character to a later one")
                members = frozenset(range(low, high + 1))
            found |= members
        if not found:
            raise PatternError("an empty class")
        return frozenset(range(256)) - found if negated else frozenset(found)

    @staticmethod
    def _one(letter: str) -> frozenset[int]:
        if not letter.isascii():
            raise PatternError("a class holds ASCII characters")
        return frozenset([ord(letter)])

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        letter = self._peek()
        if not letter:
            raise PatternError("it ends too soon")
        self.at += 1
        return letter


def _deterministic(graph: _Graph, begin: int, end: int) -> Pattern:
    """Sets of states as states; those from which nothing is accepted are left out."""
    first = _reached(graph, {begin})
    numbers = {first: 0}
    waiting = [first]
    rows: list[NDArray[np.int32]] = []
    alike = _alike(graph)
    while waiting:
        current = waiting.pop(0)
        row = np.full(256, -1, dtype=np.int32)
        steps = [step for state in current for step in graph.steps[state]]
        targets: dict[frozenset[int], frozenset[int]] = {}
        for members in alike:
            reached = frozenset(target for allowed, target in steps if members[0] in allowed)
            if not reached:
                continue
            if reached not in targets:
                targets[reached] = _reached(graph, set(reached))
            whole = targets[reached]
            if whole not in numbers:
                if len(numbers) >= _MOST_STATES:
                    raise PatternError("too many states")
                numbers[whole] = len(numbers)
                waiting.append(whole)
            row[members] = numbers[whole]
        rows.append(row)
    return Pattern(np.stack(rows), np.array([end in states for states in numbers]))


def _alike(graph: _Graph) -> list[NDArray[np.intp]]:
    """Bytes by the sets that they are in: no expression tells the members of one group apart."""
    sets = list({allowed for steps in graph.steps for allowed, _ in steps})
    groups: dict[tuple[bool, ...], list[int]] = {}
    for byte in range(256):
        groups.setdefault(tuple(byte in allowed for allowed in sets), []).append(byte)
    return [np.array(members) for members in groups.values()]


def _reached(graph: _Graph, states: set[int]) -> frozenset[int]:
    waiting = list(states)
    while waiting:
        for state in graph.free[waiting.pop()]:
            if state not in states:
                states.add(state)
                waiting.append(state)
    return frozenset(states)
