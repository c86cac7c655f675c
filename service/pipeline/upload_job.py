"""The first look at an upload, all of it in a decoder process: its image is decoded and shown to zxing-cpp.

Most uploads are small and most symbols clear. Of such a request the event loop only sees the upload on its way to the
process and the symbol on its way back: neither its own thread nor another, which would take the interpreter from it,
decodes an image. What strangers' images do to the parsers of image formats, they do where nothing else is.
"""

import io
import time
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from PIL import Image as Pil

from model_store.contract import Image, luma
from service.decoding import jobs
from service.decoding.reading import Reading
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles
from service.errors import ServiceError
from service.image_formats import KINDS
from service.imaging import Picture, size_or_picture

MOST_BYTES = 64 << 10
"""Of an upload that is looked at. The worst that was found to fit into so many, 5,000 scans of a JPEG, keeps a process
for one or two seconds, which is what a picture of noise takes with all readers."""
MOST_PIXELS = 1 << 17
"""Of an image that is decoded then and there. That is little enough to need no room in the pixel budget."""


class Answer(TypedDict, total=False):
    """What `look` answers; `understood` makes a `Look` of it."""

    refused: str
    """Code of the `ServiceError` that the upload is refused with."""
    detail: str
    size: tuple[int, int]
    """Width and height."""
    decoding: float
    image: Image
    readings: list[Reading]
    failed: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of an upload."""

    width: int
    """Of the image as it is displayed, in pixels."""
    height: int
    image: Image | None
    """`(height, width) uint8` luma where there was something to see and nothing was read."""
    readings: tuple[Reading, ...]
    failed: bool
    """Whether the reader raised."""
    decoding: float
    """Seconds that decoding the image took, or its header alone."""

    @property
    def decoded(self) -> bool:
        """False where the image is larger than what is decoded then and there."""
        return self.image is not None or bool(self.readings)


def prepared(files: WeChatFiles | None, calibration: SoftCalibration | None = None) -> jobs.Readers:
    """The context of a decoder process: its readers, and the parsers of image formats loaded.

    Raises:
        WeChatUnavailableError: see `jobs.Readers`.
    """
    readers = jobs.Readers(files, calibration)
    blank = Pil.new("L", (64, 64), 255)
    for kind in KINDS:
        stream = io.BytesIO()
        blank.save(stream, kind)
        look(readers, stream.getvalue(), MOST_PIXELS, "warm-up")
    return readers


def look(readers: jobs.Readers, data: bytes, max_pixels: int, attempt: str) -> Answer:
    """Decode an upload and show it to zxing-cpp. Runs in a decoder process.

    zxing-cpp tells of no symbol twice (its comparison of barcodes is by content and place).

    Args:
        max_pixels: larger images are refused.
        attempt: name that the readings carry.
    """
    started = time.perf_counter()
    try:
        found = size_or_picture(data, max_pixels=max_pixels, at_once=MOST_PIXELS)
    except ServiceError as error:
        return {"refused": error.code, "detail": error.detail}
    if not isinstance(found, Picture):
        return {"size": found, "decoding": time.perf_counter() - started}
    plane = np.ascontiguousarray(luma(found.pixels))
    answer: Answer = {"size": (found.width, found.height), "decoding": time.perf_counter() - started}
    try:
        answer["readings"] = jobs.zxing(readers, plane, attempt)
    except Exception:
        answer["failed"] = True
    if not answer.get("readings"):
        answer["image"] = plane
    return answer


def understood(answer: Answer) -> Look:
    """What `look` has seen.

    Raises:
        ServiceError: it has refused the upload; see `service.imaging.decode`.
        ValueError: its image is none, as of a process that an upload has taken over.
    """
    if "refused" in answer:
        raise ServiceError(answer["refused"], answer["detail"])
    width, height = answer["size"]
    image = answer.get("image")
    if image is not None and (image.dtype != np.uint8 or image.shape != (height, width)):
        raise ValueError("the image is not what its size says")
    return Look(
        width=width,
        height=height,
        image=image,
        readings=tuple(answer.get("readings", ())),
        failed=answer.get("failed", False),
        decoding=answer["decoding"],
    )
