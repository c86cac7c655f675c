"""zxing-cpp as a reader of QR Codes: every byte of the payload, and what the symbol is."""

from collections.abc import Sequence as Several
from typing import Final, cast, get_args

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from service.decoding.geometry import clockwise
from service.decoding.payload import interpret
from service.decoding.reading import Kind, Point, Reading
from service.decoding.soft import Segment
from service.decoding.symbol import SeenSymbol, examined, pieces_of, sent
from service.decoding.transmission import segments_of

QR: Final[tuple[Kind, ...]] = ("qr", "qr_model_1")
"""Not Micro QR and rMQR: they have so little redundancy that blurred pictures give them false readings."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_FORMATS: Final = {
    "qr": zxingcpp.BarcodeFormat.QRCodeModel2,
    "qr_model_1": zxingcpp.BarcodeFormat.QRCodeModel1,
    "micro_qr": zxingcpp.BarcodeFormat.MicroQRCode,
    "rmqr": zxingcpp.BarcodeFormat.RMQRCode,
}
_KINDS: Final[dict[zxingcpp.BarcodeFormat, Kind]] = {
    zxingcpp.BarcodeFormat.QRCodeModel2: "qr",
    zxingcpp.BarcodeFormat.QRCodeModel1: "qr_model_1",
    zxingcpp.BarcodeFormat.QRCode: "qr",
    zxingcpp.BarcodeFormat.MicroQRCode: "micro_qr",
    zxingcpp.BarcodeFormat.RMQRCode: "rmqr",
}
# The binarizers fail on different pictures: uneven light wants the first, small faint symbols the second.
_BINARIZERS: Final = (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram)


def read_zxing(image: NDArray[np.uint8], attempt: str, kinds: Several[Kind] = QR) -> list[Reading]:
    """Read all symbols of an image, upright or rotated, dark on light or light on dark, mirrored or not.

    Structured append: each symbol is a reading of its own, with its own bytes and its place in the sequence.

    Args:
        image: `(h, w) uint8` luma.
        attempt: name that the readings carry.
        kinds: of symbols that are looked for.
    """
    formats = zxingcpp.BarcodeFormats([_FORMATS[kind] for kind in kinds])
    for binarizer in _BINARIZERS:
        barcodes = zxingcpp.read_barcodes(
            np.ascontiguousarray(image),
            formats=formats,
            binarizer=binarizer,
            text_mode=zxingcpp.TextMode.HexECI,
        )
        readings = [
            _reading(barcode, image, attempt) for barcode in barcodes if barcode.valid and barcode.bytes
        ]
        if readings:
            return readings
    return []


def _reading(barcode: zxingcpp.Barcode, image: NDArray[np.uint8], attempt: str) -> Reading:
    corners = barcode.position
    ordered = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    a, b, c, d = (_point(corner) for corner in ordered)
    points = clockwise((a, b, c, d))
    symbol, message = examined(_seen(barcode), barcode.bytes, image, points)
    transmission = bytes.fromhex(barcode.text)
    segments: Several[Segment] = segments_of(transmission) if message is None else sent(message)
    part = symbol.sequence is not None and symbol.sequence.total > 1
    meaning = interpret(segments, part=part)
    return Reading(
        payload=barcode.bytes,
        text=meaning.text,
        encoding=meaning.encoding,
        source=meaning.source,
        points=points,
        reader="zxing",
        attempt=attempt,
        symbology=transmission[:3].decode("ascii"),
        symbol=symbol,
        pieces=pieces_of(segments) if part else (),
    )


def _seen(barcode: zxingcpp.Barcode) -> SeenSymbol:
    """What the library tells of a symbol beside its bytes."""
    told = cast(dict[str, object], barcode.extra)
    sampled = np.array(barcode.to_image(scale=1, add_quiet_zones=False)) < 128
    return SeenSymbol(
        kind=_KINDS[barcode.format],
        version=str(told.get("Version", "")),
        level=str(told["ECLevel"]) if told.get("ECLevel") else None,
        mask=int(str(told["DataMask"])) if "DataMask" in told else None,
        modules=sampled,
        unused_error_correction=float(str(told["UEC"])) if "UEC" in told else None,
    )


def _point(point: zxingcpp.Point) -> Point:
    return float(point.x), float(point.y)
