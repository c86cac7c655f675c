"""Whether a machine's speed has stayed: what was measured between two looks at it counts only then."""

WITHIN = 0.15
"""How far two rates of the same work may differ, of the larger one."""
ENOUGH = 3
"""Rounds that must count for a row to say anything."""


def steady(before: float, after: float) -> bool:
    """Whether two rates are near enough to each other to be one."""
    return abs(before - after) <= WITHIN * max(before, after)
