"""Markdown tables and the figures in them."""

from collections.abc import Sequence

from benchmark.figures.statistics import Interval


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A Markdown table; the first `left` columns are text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * left + "---:|" * (len(head) - left)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def rate(value: float) -> str:
    """A share to three places, without its leading zero."""
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 1 else f"{value:.3f}"


def interval(value: Interval) -> str:
    """`.712 [.683, .739]`."""
    return f"{rate(value.value)} [{rate(value.low)}, {rate(value.high)}]"


def signed(value: Interval) -> str:
    """`+.120 [+.093, +.147]`."""
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"
