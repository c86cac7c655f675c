"""Errors that end a command of the benchmark with one line."""


class BenchmarkError(Exception):
    """The benchmark cannot run as asked; the message says why in one line."""
