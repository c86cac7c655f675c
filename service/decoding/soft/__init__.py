"""Reads QR symbols from the generator's soft output: find, fit, sample, decode, accept."""
