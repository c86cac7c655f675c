"""Decoding with prior knowledge of payloads: a payload model, and hints.

docs/reader.md, section "Decode with a payload model", has the reasons.
"""
