"""Errors of a run that its caller may want to tell from others."""


class TrainingError(Exception):
    """The run cannot go on, as when the loss is no number; the message says at which step."""
