"""Photographs with known payloads: their index and the positions of their symbols.

A folder of photographs has an `index.jsonl`: one JSON object a line with `path`, relative to the folder, and
`payload`, the text of the symbol; `set` groups them in the report. Everything else in a line is ignored.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zxingcpp
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.comparison.arms import Image
from benchmark.errors import BenchmarkError
from model_store import contract
from scoring.scenes import Matrix
from service.decoding.geometry import Quad, rectify
from service.decoding.wechat import WeChatReader

INDEX = "index.jsonl"
_CODECS = ("utf-8", "shift_jis", "gb18030", "iso8859-1", "big5", "euc_kr")
"""Character sets found in payloads that declare none."""
_SCALES = (1.0, 2.0, 0.5, 3.0, 0.25)
_RECTIFIED_SIDES = (240, 420, 560)
_LARGEST_SCALED = 16_000_000
"""Most pixels of an enlarged photograph."""


class PhotosError(BenchmarkError):
    """The folder is not usable; the message names file, line and reason."""


class Photo(BaseModel):
    """One line of the index."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    payload: str
    set: str = "photographs"

    @property
    def stem(self) -> str:
        """The path in one word, for names of items: `set-7` of `set/7.jpg`."""
        return Path(self.path).with_suffix("").as_posix().replace("/", "-")


@dataclass(frozen=True, slots=True)
class Located:
    """A symbol in a photograph."""

    corners: tuple[tuple[float, float], ...]
    """Four, clockwise from the symbol's top left, in pixels; pixel centres are at whole numbers."""
    version: int
    payload: bytes
    """As returned by the reader that found it."""
    reader: str

    @property
    def size(self) -> int:
        """Modules along a side."""
        return 17 + 4 * self.version

    @property
    def px_per_module(self) -> float:
        """Mean over the four sides."""
        corners = np.array(self.corners)
        return float(np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1).mean()) / self.size


def read_index(folder: Path) -> list[Photo]:
    """The photographs of a folder.

    Raises:
        PhotosError: there is no index, a line is invalid, or a photograph is missing.
    """
    index = folder / INDEX
    if not index.is_file():
        raise PhotosError(f"{index} is missing: one JSON object a line, with path and payload")
    photos = []
    for number, line in enumerate(index.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            photo = Photo.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise PhotosError(f"{index}, line {number}: {str(error).splitlines()[0]}") from error
        if not (folder / photo.path).is_file():
            raise PhotosError(f"{index}, line {number}: {photo.path} is missing")
        photos.append(photo)
    if not photos:
        raise PhotosError(f"{index} is empty")
    return photos


def load(path: Path) -> Image:
    """A photograph `(h, w, 3) uint8`, BGR, oriented by its EXIF data.

    Raises:
        PhotosError: OpenCV cannot read it.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise PhotosError(f"{path}: not an image that OpenCV reads")
    return np.asarray(image, np.uint8)


def luma(bgr: Image) -> Image:
    """`(h, w) uint8`."""
    return contract.luma(np.asarray(bgr[:, :, ::-1]))


def agrees(payload: bytes, label: str) -> bool:
    """Whether the bytes are the label in any of the character sets in use."""
    for codec in _CODECS:
        try:
            if payload.decode(codec) == label:
                return True
        except UnicodeDecodeError:
            continue
    return False


def spellings(payload: bytes, label: str) -> tuple[bytes, ...]:
    """All byte strings of the label: the payload that was read, then the label in other character sets.

    Some readers convert a payload that is not UTF-8, others do not.
    """
    found = [payload]
    for codec in _CODECS:
        try:
            found.append(label.encode(codec))
        except UnicodeEncodeError:
            continue
    return tuple(dict.fromkeys(found))


def locate(image: Image, label: str, wechat: WeChatReader) -> Located | None:
    """Find the symbol of `label` in `(h, w) uint8`, by readers that agree with it; None if none does.

    zxing-cpp, which returns the version, reads the photograph in several sizes and ways, and then the rectified regions
    that WeChat has read.
    """
    for look, scale in _looks(image):
        for barcode in _zxing(look):
            if agrees(barcode.bytes, label):
                return _located(barcode, _back(_corners(barcode), scale), "zxing")
    for payload, quad in wechat.detect(image):
        if quad is None or not agrees(payload, label):
            continue
        for side in _RECTIFIED_SIDES:
            for barcode in _zxing(rectify(image, quad, side)):
                if agrees(barcode.bytes, label):
                    return _located(barcode, np.array(quad), "wechat")
    return None


def reduced_crop(
    bgr: Image, located: Located, px_per_module: float, quality: int, margin: float = 4.0
) -> Image | None:
    """The symbol, cut with `margin` modules around it, at fewer pixels per module, as a JPEG; luma `(h, w)`.

    None if the photograph has fewer pixels per module than requested.
    """
    native = located.px_per_module
    if native <= px_per_module:
        return None
    corners = np.array(located.corners) + 0.5
    low = np.floor(corners.min(axis=0) - margin * native).astype(int).clip(0)
    high = np.ceil(corners.max(axis=0) + margin * native).astype(int)
    crop = bgr[low[1] : high[1], low[0] : high[0]]
    factor = px_per_module / native
    size = (max(8, round(crop.shape[1] * factor)), max(8, round(crop.shape[0] * factor)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return luma(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))


def _looks(image: Image) -> Iterator[tuple[Image, float]]:
    for scale in _SCALES:
        if scale > 1 and image.size * scale**2 > _LARGEST_SCALED:
            continue
        kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        if min(image.shape) * scale >= 21:
            resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=kernel)
            yield np.asarray(resized, np.uint8), scale
    yield np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8), 1.0
    yield np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(image), np.uint8), 1.0


def _zxing(image: Image) -> list[zxingcpp.Barcode]:
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    found = []
    for binarizer in (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram):
        found += zxingcpp.read_barcodes(image, formats=formats, binarizer=binarizer)
    # Model 1 symbols have another layout, and their version means something else.
    return [barcode for barcode in found if barcode.valid and _version(barcode)]


def _version(barcode: zxingcpp.Barcode) -> int:
    """The version of the barcode; 0 if it has none."""
    extra: Any = barcode.extra
    text = str(extra.get("Version", ""))
    return int(text) if text.isdecimal() else 0


def _corners(barcode: zxingcpp.Barcode) -> Matrix:
    where = barcode.position
    points = (where.top_left, where.top_right, where.bottom_right, where.bottom_left)
    return np.array([(point.x, point.y) for point in points], float)


def _back(corners: Matrix, scale: float) -> Matrix:
    return np.asarray((corners + 0.5) / scale - 0.5)


def _located(barcode: zxingcpp.Barcode, corners: Matrix | Quad, reader: str) -> Located:
    points = tuple((float(x), float(y)) for x, y in corners)
    return Located(points, _version(barcode), bytes(barcode.bytes), reader)
