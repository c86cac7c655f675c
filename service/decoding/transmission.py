"""A symbol's bytes with its ECI designators among them, in the form that the standard has a reader send."""

import re
from typing import Final

from service.decoding.soft import Segment

# ISO/IEC 18004, 14.3: an ECI is sent as a backslash and six digits, and a backslash of the data is doubled.
_ESCAPE: Final = re.compile(rb"\\(\\|[0-9]{6})")
_ECI_MODIFIERS: Final = frozenset(b"246")


def segments_of(transmission: bytes) -> list[Segment]:
    """The bytes between one designator and the next, each as a segment of bytes.

    Args:
        transmission: symbology identifier (three bytes) and data.
    """
    data = transmission[3:]
    if transmission[2] not in _ECI_MODIFIERS:
        return [Segment("byte", data, None, None)]
    segments: list[Segment] = []
    eci: int | None = None
    piece = bytearray()
    at = 0
    for found in _ESCAPE.finditer(data):
        piece += data[at : found.start()]
        at = found.end()
        if found[1] == b"\\":
            piece += b"\\"
            continue
        if piece:
            segments.append(Segment("byte", bytes(piece), eci, None))
        piece.clear()
        eci = int(found[1])
    piece += data[at:]
    if piece:
        segments.append(Segment("byte", bytes(piece), eci, None))
    return segments
