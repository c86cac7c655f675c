"""Jobs of decoder processes for uploads: decode the image, and run the first reader on a small one.

Every upload is decoded there. A hostile file can only affect a process that is confined, and decoding takes no time of
the event loop's process.
"""

import io
import time
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from model_store.contract import Image
from service.decoding import jobs
from service.decoding.channels import legible
from service.decoding.reading import Kind, Reading
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles
from service.decoding.zxing import QR
from service.errors import ServiceError
from service.image_formats import KINDS
from service.imaging import Picture, size_or_picture

BRIEF_BYTES = 64 << 10
"""Length of an upload up to which decoding is nearly always quick. The slowest known file of this length, a JPEG with
5,000 scans, takes a second or two, as all readers together do on noise."""
SMALL_PIXELS = 1 << 17
"""Pixels of an image up to which it is decoded together with its header, without room in the pixel budget."""


class Answer(TypedDict, total=False):
    """The answer of the jobs; `understood` converts it to `Opened`."""

    refused: str
    """Code of a `ServiceError`, where the upload is refused."""
    detail: str
    size: tuple[int, int]
    """Width and height."""
    seconds: float
    pixels: Image
    alpha: Image
    readings: list[Reading]
    failed: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """An upload after one of the jobs."""

    width: int
    """In pixels; of an image that is not decoded as the file has it, whatever its EXIF orientation."""
    height: int
    picture: Picture | None
    """None where the image was too large to be decoded at once, or a symbol has been read."""
    readings: tuple[Reading, ...] = ()
    failed: bool = False
    """Whether the reader raised."""
    seconds: float = 0.0
    """Time to decode the image, or only its header."""


def prepared(
    files: WeChatFiles | None, calibration: SoftCalibration | None = None, prior: bool = True
) -> jobs.Readers:
    """The context of a decoder process: its readers, and the parsers of image formats loaded.

    Raises:
        WeChatUnavailableError: see `jobs.Readers`.
    """
    readers = jobs.Readers(files, calibration, prior)
    blank = Pil.new("L", (64, 64), 255)
    for kind in KINDS:
        stream = io.BytesIO()
        blank.save(stream, kind)
        read_upload(readers, stream.getvalue(), SMALL_PIXELS, "warm-up")
    return readers


def open_upload(_: jobs.Readers, data: bytes, max_pixels: int, at_once: int, grey: bool) -> Answer:
    """Decode an upload. Runs in a decoder process.

    Args:
        data: the file.
        max_pixels: larger images are refused.
        at_once: images with more pixels are not decoded; the answer has their size.
        grey: whether one plane is wanted, instead of colours and alpha: the luma, nearly always (see `legible`).
    """
    started = time.perf_counter()
    try:
        found = size_or_picture(data, max_pixels=max_pixels, at_once=at_once)
    except ServiceError as error:
        return {"refused": error.code, "detail": error.detail}
    if not isinstance(found, Picture):
        return {"size": found, "seconds": time.perf_counter() - started}
    answer: Answer = {"size": (found.width, found.height)}
    answer["pixels"] = np.ascontiguousarray(legible(found.pixels)) if grey else found.pixels
    if found.alpha is not None and not grey:
        answer["alpha"] = found.alpha
    answer["seconds"] = time.perf_counter() - started
    return answer


def read_upload(
    readers: jobs.Readers, data: bytes, max_pixels: int, attempt: str, kinds: tuple[Kind, ...] = QR
) -> Answer:
    """Decode a small image and show its luma, and then its channels, to zxing-cpp. Runs in a decoder process.

    zxing-cpp returns no symbol twice (it compares barcodes by content and place).

    Args:
        data, max_pixels: as for `open_upload`; images of more than `SMALL_PIXELS` are not decoded.
        attempt: name that the readings carry.
        kinds: of symbols to look for.
    """
    answer = open_upload(readers, data, max_pixels, SMALL_PIXELS, False)
    if "pixels" not in answer:
        return answer
    colours = answer["pixels"]
    answer["pixels"] = np.ascontiguousarray(legible(colours))
    answer.pop("alpha", None)
    try:
        readings = jobs.zxing(readers, answer["pixels"], attempt, kinds)
        answer["readings"] = readings or jobs.zxing_channels(readers, colours, attempt, kinds)
    except Exception:
        answer["failed"] = True
    if answer.get("readings"):
        del answer["pixels"]
    return answer


def understood(answer: Answer) -> Opened:
    """Check and convert the answer of a job.

    Raises:
        ServiceError: the upload was refused; see `service.imaging.decode`.
        ValueError: an image does not match its size. Only a process that an upload has taken over answers that.
    """
    if "refused" in answer:
        raise ServiceError(answer["refused"], answer["detail"])
    width, height = answer["size"]
    pixels, alpha = answer.get("pixels"), answer.get("alpha")
    for plane, channels in ((pixels, ((), (3,))), (alpha, ((),))):
        if plane is not None and not _is_image(plane, [(height, width, *rest) for rest in channels]):
            raise ValueError("the image is not what its size says")
    return Opened(
        width=width,
        height=height,
        picture=None if pixels is None else Picture(pixels, alpha),
        readings=tuple(answer.get("readings", ())),
        failed=answer.get("failed", False),
        seconds=answer["seconds"],
    )


def _is_image(plane: NDArray[Any], shapes: list[tuple[int, ...]]) -> bool:
    return plane.dtype == np.uint8 and plane.shape in shapes
