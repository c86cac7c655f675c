"""Just enough of PromQL to tell which series and labels an expression asks for."""

import re
from dataclasses import dataclass

_WORDS = frozenset(
    [
        "by",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "without",
        "and",
        "or",
        "unless",
        "offset",
        "bool",
        "sum",
        "min",
        "max",
        "avg",
        "count",
    ]
)
_SELECTOR = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)\s*(\{[^}]*\})?")
_MATCHER = re.compile(r'([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Selector:
    """A series that is asked for."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator, value."""


def selectors(expression: str) -> list[Selector]:
    """All series of an expression; functions, keywords and the labels of aggregations are none."""
    bare = re.sub(r"\[[^\]]*\]", "", expression)
    bare = re.sub(r"\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)", " ", bare)
    found = []
    for match in _SELECTOR.finditer(bare):
        name, labels = match.groups()
        before = bare[: match.start()]
        if before.count("{") > before.count("}") or before[-1:].isdigit():
            continue
        if name in _WORDS or bare[match.end() :].lstrip().startswith("("):
            continue
        found.append(Selector(name, tuple(_MATCHER.findall(labels or ""))))
    return found


def grouping(expression: str) -> set[str]:
    """Labels that the expression aggregates or matches by."""
    lists = re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", expression)
    return {label.strip() for names in lists for label in names.split(",") if label.strip()}
