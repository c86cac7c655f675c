"""The compared readers, each a function from a picture to payloads. They are built in the process that uses them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import zxingcpp

from benchmark.comparison.arms import Image
from benchmark.errors import BenchmarkError
from model_store.manifest import ManifestError, load_third_party
from service.decoding.wechat import WeChatFiles, WeChatReader

Read = Callable[[Image], list[bytes]]

DIRECT = ("wechat", "wechat-plain", "zxing", "opencv", "opencv-aruco", "zbar")
"""Readers of a picture."""
SOFT, DECODE = "soft", "decode"
"""The reader of a generator's logits; the service's cascade, which enlarges by itself."""


class ReaderUnavailableError(BenchmarkError):
    """A reader cannot be used here; the message says why."""


def wechat_files(folder: Path) -> WeChatFiles:
    """WeChat's two nets, verified by hash.

    Raises:
        ReaderUnavailableError: they are missing or incomplete. Without them WeChat would silently be another reader, so
            the benchmark stops.
    """
    try:
        load_third_party(folder)
    except ManifestError as error:
        raise ReaderUnavailableError(
            f"WeChat's nets: {error}; `python -m model_store fetch` brings them"
        ) from error
    return WeChatFiles.in_folder(folder)


def build_reader(name: str, wechat: Path) -> Read:
    """The reader of that name with the defaults of its library: no padding, no second attempts.

    Raises:
        ReaderUnavailableError: its library is not installed.
    """
    if name == "wechat":
        return _wechat(WeChatReader(wechat_files(wechat)))
    if name == "wechat-plain":
        return _wechat(WeChatReader(None))
    if name == "zxing":
        return _zxing
    if name == "opencv":
        return _opencv(cv2.QRCodeDetector())
    if name == "opencv-aruco":
        return _opencv(cv2.QRCodeDetectorAruco())
    if name == "zbar":
        return _zbar()
    raise ReaderUnavailableError(
        f"no reader is called {name!r}; there are {', '.join((*DIRECT, SOFT, DECODE))}"
    )


def available(wechat: Path, wanted: tuple[str, ...] = DIRECT) -> tuple[tuple[str, ...], dict[str, str]]:
    """The readers that can be used, and why the others cannot."""
    usable, missing = [], {}
    for name in wanted:
        try:
            build_reader(name, wechat)
        except ReaderUnavailableError as error:
            missing[name] = str(error)
        else:
            usable.append(name)
    return tuple(usable), missing


def _wechat(reader: WeChatReader) -> Read:
    return lambda image: [payload for payload, _ in reader.detect(image)]


def _zxing(image: Image) -> list[bytes]:
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    return [barcode.bytes for barcode in zxingcpp.read_barcodes(image, formats=formats) if barcode.valid]


def _opencv(detector: cv2.QRCodeDetector | cv2.QRCodeDetectorAruco) -> Read:
    def read(image: Image) -> list[bytes]:
        text = detector.detectAndDecode(image)[0]
        return [text.encode()] if text else []

    return read


def _zbar() -> Read:
    try:
        # A wrapper of a system library (Debian: libzbar0), which the import needs.
        from pyzbar import pyzbar
    except ImportError as error:
        raise ReaderUnavailableError(f"ZBar: {error} (pip install pyzbar, apt install libzbar0)") from error

    def read(image: Image) -> list[bytes]:
        return [symbol.data for symbol in pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])]

    return read
