"""The outcome of one reading, as one letter."""

READ, NOTHING, MISREAD, BOTH, ERROR, CRASH, TIMEOUT = "r", ".", "x", "b", "e", "c", "t"
"""Outcomes: the payload and no other, nothing, only other payloads, the payload and others, the reader raised
an exception, its process ended, it took too long."""


def judge(payloads: list[bytes], truth: tuple[bytes, ...]) -> str:
    """The outcome of what a reader returned; any of `truth` is right."""
    right = any(payload in truth for payload in payloads)
    if all(payload in truth for payload in payloads):
        return READ if right else NOTHING
    return BOTH if right else MISREAD
