"""What a decoder process can be asked to do. Runs in the child: imports numpy, cv2 and zxing-cpp only."""

import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding.channels import telling
from service.decoding.geometry import QUIET_ZONE, clockwise, frame
from service.decoding.half_precision import from_half
from service.decoding.payload import interpret
from service.decoding.reading import Kind, Reading
from service.decoding.soft import SoftCalibration, SoftReading, read_logits
from service.decoding.soft.prior.automaton import payload_model
from service.decoding.soft.prior.hints import hint
from service.decoding.symbol import identifier, of_soft, pieces_of, sent
from service.decoding.wechat import WeChatFiles, WeChatReader
from service.decoding.zxing import QR, read_zxing

_SOFT_SECONDS = 2.0
"""Time for the soft-decision reader, which counts its work and hardly ever needs so much."""


class ReaderTimeoutError(Exception):
    """A reader stopped looking by its own clock."""


class Readers:
    """The readers of one process, built once at its start."""

    def __init__(
        self, files: WeChatFiles | None, calibration: SoftCalibration | None = None, prior: bool = True
    ) -> None:
        """Load the nets, if there are any, and run every reader once, so that the first job finds them warm.

        Args:
            files: WeChat's nets, or None to do without.
            calibration: what the generator's logits are worth; None takes them at their word.
            prior: whether the soft-decision reader uses its payload model where it reads nothing without.

        Raises:
            WeChatUnavailableError: see `WeChatReader`.
        """
        cv2.setNumThreads(1)
        self.wechat = WeChatReader(files)
        self.wechat_plain = WeChatReader(None)
        self.calibration = calibration
        self.prior = prior
        if prior:
            payload_model()
        blank = np.full((64, 64), 255, np.uint8)
        for job in (wechat, wechat_plain, zxing):
            job(self, blank, "warm-up")
        soft(self, np.ones((64, 64), np.float32), "warm-up")


def has_nets(readers: Readers) -> bool:
    """Whether WeChat runs with its detector and super-resolution nets."""
    return readers.wechat.has_nets


def wechat(readers: Readers, image: NDArray[np.uint8], attempt: str) -> list[Reading]:
    """WeChat with its nets, if it has them: finds what is small or aslant, but only one symbol of a crop."""
    return readers.wechat.read(image, attempt)


def wechat_plain(readers: Readers, image: NDArray[np.uint8], attempt: str) -> list[Reading]:
    """WeChat without nets: follows up to 100 finder candidates instead of 10."""
    return readers.wechat_plain.read(image, attempt)


def zxing(_: Readers, image: NDArray[np.uint8], attempt: str, kinds: tuple[Kind, ...] = QR) -> list[Reading]:
    """zxing-cpp, on the image as it is, then with a quiet zone put around it."""
    readings = read_zxing(image, attempt, kinds)
    if readings:
        return readings
    framed = frame(image, QUIET_ZONE)
    return [
        replace(reading, points=framed.back(reading.points))
        for reading in read_zxing(framed.image, attempt, kinds)
    ]


def zxing_channels(
    readers: Readers, image: NDArray[np.uint8], attempt: str, kinds: tuple[Kind, ...] = QR
) -> list[Reading]:
    """zxing-cpp on the channels of `(h, w, 3)` RGB that show more than the luma does."""
    for plane in telling(image):
        if readings := zxing(readers, plane, attempt, kinds):
            return readings
    return []


def soft(
    readers: Readers, logits: NDArray[np.floating[Any]], attempt: str, expect: str = ""
) -> list[Reading]:
    """The soft-decision reader on `(h, w)` logits, negative where dark. It finds inverted symbols too.

    Args:
        expect: what the payload may be (see `soft.prior.hints`); empty for nothing.
    """
    expected = hint(expect) if expect and readers.prior else None
    began = time.monotonic()
    found = read_logits(
        from_half(logits), readers.calibration, _SOFT_SECONDS, prior=readers.prior, hint=expected
    )
    if not found and time.monotonic() - began >= _SOFT_SECONDS:
        raise ReaderTimeoutError
    return [_from_soft(reading, attempt) for reading in found]


def _from_soft(reading: SoftReading, attempt: str) -> Reading:
    symbol = of_soft(reading)
    segments = sent(reading.message)
    part = symbol.sequence is not None and symbol.sequence.total > 1
    meaning = interpret(segments, part=part)
    return Reading(
        payload=b"".join(segment.data for segment in segments),
        text=meaning.text,
        encoding=meaning.encoding,
        source=meaning.source,
        points=clockwise(reading.corners),
        reader="soft",
        attempt=attempt,
        symbology=identifier(reading.message),
        symbol=symbol,
        pieces=pieces_of(segments) if part else (),
    )
