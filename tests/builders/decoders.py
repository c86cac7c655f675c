"""Decoders without processes, for tests of everything around them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from model_store.contract import Image
from service.decoding.cascade import AttemptRecord, DecodeResult, PictureKind, Upscale
from service.decoding.channels import legible
from service.decoding.reading import Kind, Reading
from service.decoding.zxing import QR, read_zxing
from service.imaging import Picture, size_or_picture
from service.pipeline.answers import DecoderState
from service.pipeline.upload_jobs import SMALL_PIXELS, Opened


class InProcessDecoder:
    """zxing-cpp on the upload, then on the ×4 image; what it is asked for is counted."""

    def __init__(self) -> None:
        self.calls = 0
        self.opened = 0
        self.cancelled = 0
        self.hold: asyncio.Event | None = None
        """When set, calls wait for it."""

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    def state(self) -> DecoderState:
        return DecoderState(children=1, restarts=0, crashes=0, timeouts=0, wechat_nets=False)

    async def open(
        self, data: bytes, *, max_pixels: int, at_once: int, deadline: float, grey: bool = False
    ) -> Opened:
        del deadline
        self.opened += 1
        found = size_or_picture(data, max_pixels=max_pixels, at_once=at_once)
        if not isinstance(found, Picture):
            return Opened(*found, None)
        return Opened(found.width, found.height, Picture(legible(found.pixels), None) if grey else found)

    async def read_small(
        self, data: bytes, *, max_pixels: int, deadline: float, kinds: tuple[Kind, ...] = QR
    ) -> tuple[Opened, DecodeResult]:
        """Decodes, and leaves reading to `decode`."""
        del kinds
        opened = await self.open(
            data, max_pixels=max_pixels, at_once=SMALL_PIXELS, deadline=deadline, grey=True
        )
        return opened, DecodeResult((), (), upscaled=False, timed_out=False)

    async def decode(
        self,
        image: Image,
        *,
        upscale: Upscale | None,
        draft: Upscale | None = None,
        deadline: float,
        observe: Callable[[AttemptRecord], None],
        after: DecodeResult | None = None,
        kinds: tuple[Kind, ...] = QR,
        expect: str = "",
    ) -> DecodeResult:
        del deadline, draft, after, expect
        self.calls += 1
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        plane = legible(image)
        readings = _read(plane, "upload", 1, kinds)
        first = _record("upload", readings)
        observe(first)
        if readings or upscale is None:
            return DecodeResult(readings, (first,), upscaled=False, timed_out=False)
        upscaled = await upscale(plane)
        readings = _read(upscaled.sr, "sr", 4, kinds)
        second = _record("sr", readings)
        observe(second)
        return DecodeResult(readings, (first, second), upscaled=True, timed_out=False)


def _record(picture: PictureKind, readings: tuple[Reading, ...]) -> AttemptRecord:
    return AttemptRecord(f"{picture}-stub", 1.0, "read" if readings else "nothing", len(readings), picture)


def _read(plane: Image, attempt: str, scale: int, kinds: tuple[Kind, ...]) -> tuple[Reading, ...]:
    found = []
    for reading in read_zxing(plane, attempt, kinds):
        a, b, c, d = ((x / scale, y / scale) for x, y in reading.points)
        found.append(replace(reading, points=(a, b, c, d)))
    return tuple(found)
