"""WeChatQRCode of opencv_contrib as a reader, with what it garbles put right through zxing-cpp.

What the class returns is the symbol's bytes as a C string: no character set is converted, ECI designators
are dropped, everything from the first NUL byte on is lost, and a payload that is not UTF-8 makes the whole
call raise UnicodeDecodeError, which carries the bytes but neither the corners nor the image's other symbols.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from service.decoding.geometry import (
    QUIET_ZONE,
    Quad,
    clockwise,
    frame,
    rectify,
    same_place,
    sharpen,
    unrectified,
)
from service.decoding.reading import Reading
from service.decoding.zxing import read_zxing

_LEAST_SIDE = 48
"""Images with a side of 20 px or less come back empty, so smaller ones are enlarged."""
_REGIONS = ((420, 6.0, 2.0), (560, 8.0, 3.0))
"""How zxing-cpp is shown the region that WeChat found: side of the square, width and strength of the
sharpening. WeChat reads more blurred symbols than zxing-cpp. Of 80 synthetic ones that zxing-cpp did not read
on the image, plain squares let it read 49, sharpened ones 70."""


class WeChatUnavailableError(Exception):
    """WeChatQRCode cannot be built with the nets asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class WeChatFiles:
    """The two nets: a detector of symbols and a x2 super-resolution for small ones, in Caffe form."""

    detect_prototxt: Path
    detect_caffemodel: Path
    sr_prototxt: Path
    sr_caffemodel: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """The files under their official names. Whether they are there is checked when they are opened."""
        return cls(
            folder / "detect.prototxt",
            folder / "detect.caffemodel",
            folder / "sr.prototxt",
            folder / "sr.caffemodel",
        )


class WeChatReader:
    """One WeChatQRCode, with its nets or without. Only one thread of a process may use any of them."""

    def __init__(self, files: WeChatFiles | None) -> None:
        """Build it; with None it works without detector and super-resolution.

        Raises:
            WeChatUnavailableError: the nets are missing, damaged or not understood by this OpenCV.
        """
        self._reader = _open(files)
        self.has_nets = files is not None

    def read(self, image: NDArray[np.uint8], attempt: str) -> list[Reading]:
        """Read the symbols of `(h, w) uint8` luma; at most one of a crop with the nets, several without.

        Every reading has been confirmed: zxing-cpp read the same symbol, on the image or on the region that
        WeChat found, rectified, and its bytes agree with WeChat's up to their first NUL. The payload is
        zxing-cpp's. A result that cannot be confirmed may be cut, which nothing in it shows, and is dropped.
        """
        framed = frame(image, QUIET_ZONE, _LEAST_SIDE)
        found = self.detect(framed.image)
        if not found:
            return []
        whole = read_zxing(framed.image, attempt)
        readings = (_confirm(payload, points, whole, framed.image, attempt) for payload, points in found)
        return [replace(reading, points=framed.back(reading.points)) for reading in readings if reading]

    def detect(self, image: NDArray[np.uint8]) -> list[tuple[bytes, Quad | None]]:
        """What the class itself answers: payloads up to their first NUL byte, and corners where known.

        Unconfirmed, for measuring. Of an image as it is, so nothing of one with a side of 20 px or less.
        """
        try:
            texts, corners = self._reader.detectAndDecode(image)
        except UnicodeDecodeError as error:
            return [(error.object, None)]
        payloads = [text.encode() for text in texts]
        if len(corners) != len(payloads):
            return [(payload, None) for payload in payloads]
        return [(payload, _quad(points)) for payload, points in zip(payloads, corners, strict=True)]


def _open(files: WeChatFiles | None) -> cv2.wechat_qrcode.WeChatQRCode:
    """The one place that knows how this OpenCV takes the models (version 5 takes ONNX files instead)."""
    if files is None:
        return cv2.wechat_qrcode.WeChatQRCode()
    if int(cv2.__version__.split(".")[0]) >= 5:
        raise WeChatUnavailableError(f"OpenCV {cv2.__version__} does not read Caffe models")
    paths = (files.detect_prototxt, files.detect_caffemodel, files.sr_prototxt, files.sr_caffemodel)
    for path in paths:
        # OpenCV works on without a net, silently, when its paths are empty.
        if not path.is_file() or path.stat().st_size == 0:
            raise WeChatUnavailableError(f"{path} is missing or empty")
    try:
        return cv2.wechat_qrcode.WeChatQRCode(*(str(path) for path in paths))
    except (cv2.error, SystemError) as error:
        # SystemError: the binding returns an object besides raising what the constructor threw.
        raise WeChatUnavailableError(f"OpenCV cannot load the nets: {error.__cause__ or error}") from error


def _confirm(
    payload: bytes, points: Quad | None, whole: list[Reading], image: NDArray[np.uint8], attempt: str
) -> Reading | None:
    """The complete reading of the symbol whose bytes up to the first NUL are `payload`, or None.

    Without corners (a payload that is not UTF-8) only readings of the whole image can confirm.
    """
    for reading in whole:
        if _agree(payload, reading) and (points is None or same_place(points, reading.points)):
            return replace(reading, reader="wechat")
    if points is None:
        return None
    for side, width, strength in _REGIONS:
        for reading in read_zxing(sharpen(rectify(image, points, side), width, strength), attempt):
            if _agree(payload, reading):
                back = unrectified(reading.points, points, side)
                return replace(reading, points=clockwise(back), reader="wechat")
    return None


def _agree(payload: bytes, reading: Reading) -> bool:
    return reading.payload.partition(b"\0")[0] == payload


def _quad(points: ArrayLike) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in np.asarray(points))
    return a, b, c, d
