"""Grammars of payloads, and the payload model built from them (`python -m training.payloads`)."""
