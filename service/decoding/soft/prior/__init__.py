"""What is known of payloads before one is received: decoding with a payload model, and with hints.

docs/reader.md, section "Decode with a payload model", has the reasons and the measurements.
"""
