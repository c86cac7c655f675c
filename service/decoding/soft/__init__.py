"""Reads QR symbols from the generator's soft output: find, fit, sample, decode, accept."""

from service.decoding.soft.bitstream import Message, Segment, StructuredAppend
from service.decoding.soft.reader import SoftReading, read_logits
from service.decoding.soft.sampling import SoftCalibration

__all__ = ["Message", "Segment", "SoftCalibration", "SoftReading", "StructuredAppend", "read_logits"]
