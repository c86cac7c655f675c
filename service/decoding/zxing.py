"""zxing-cpp as a reader of QR Codes: every byte of the payload, its ECI and its symbology identifier."""

import re

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from service.decoding.payload import interpret
from service.decoding.reading import Point, Reading

# Not Micro QR and rMQR: they have so little redundancy that blurred pictures give them false readings.
_FORMATS = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2, zxingcpp.BarcodeFormat.QRCodeModel1])
# The binarizers fail on different pictures: uneven light wants the first, small faint symbols the second.
_BINARIZERS = (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram)
# ISO/IEC 18004, 14.3: an ECI is sent as a backslash and six digits, and a backslash of the data is doubled.
_ECI_ESCAPE = re.compile(rb"\\(\\|[0-9]{6})")
_ECI_MODIFIERS = frozenset("246")


def read_zxing(image: NDArray[np.uint8], attempt: str) -> list[Reading]:
    """Read all QR Codes of an image, upright or rotated, dark on light or light on dark, mirrored or not.

    Structured append: each symbol is a reading of its own, with its own bytes; the library does not tell its
    place in the sequence.

    Args:
        image: `(h, w) uint8` luma.
        attempt: name that the readings carry.
    """
    for binarizer in _BINARIZERS:
        barcodes = zxingcpp.read_barcodes(
            np.ascontiguousarray(image),
            formats=_FORMATS,
            binarizer=binarizer,
            text_mode=zxingcpp.TextMode.HexECI,
        )
        readings = [_reading(barcode, attempt) for barcode in barcodes if barcode.valid and barcode.bytes]
        if readings:
            return readings
    return []


def _reading(barcode: zxingcpp.Barcode, attempt: str) -> Reading:
    identifier, eci = _protocol(bytes.fromhex(barcode.text))
    text, encoding = interpret(barcode.bytes, eci)
    corners = barcode.position
    return Reading(
        payload=barcode.bytes,
        text=text,
        encoding=encoding,
        points=(
            _point(corners.top_left),
            _point(corners.top_right),
            _point(corners.bottom_right),
            _point(corners.bottom_left),
        ),
        reader="zxing",
        attempt=attempt,
        symbology=identifier,
    )


def _point(point: zxingcpp.Point) -> Point:
    return float(point.x), float(point.y)


def _protocol(transmission: bytes) -> tuple[str, tuple[int, ...]]:
    """Symbology identifier and ECI designators of a transmission in the form of ISO/IEC 18004, 14.3."""
    identifier = transmission[:3].decode("ascii")
    if identifier[-1] not in _ECI_MODIFIERS:
        return identifier, ()
    escapes = _ECI_ESCAPE.findall(transmission[3:])
    return identifier, tuple(int(escape) for escape in escapes if escape != b"\\")
