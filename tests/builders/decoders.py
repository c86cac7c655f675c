"""Decoders without processes, for tests of everything around them."""

import asyncio

import zxingcpp

from model_store.contract import Image, luma
from service.decoding.cascade import DecodeResult, Upscale
from service.decoding.reading import Reading
from service.imaging import Picture, size_or_picture
from service.pipeline.answers import DecoderState
from service.pipeline.upload_job import MOST_PIXELS, Look


class InProcessDecoder:
    """zxing-cpp on the upload, then on the ×4 image; what it is asked for is counted."""

    def __init__(self) -> None:
        self.calls = 0
        self.looks = 0
        self.cancelled = 0
        self.hold: asyncio.Event | None = None
        """When set, calls wait for it."""

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    def state(self) -> DecoderState:
        return DecoderState(children=1, restarts=0, crashes=0, timeouts=0, wechat_nets=False)

    async def look(self, data: bytes, *, max_pixels: int, deadline: float) -> tuple[Look, DecodeResult]:
        """Decodes, and leaves reading to `decode`."""
        del deadline
        self.looks += 1
        found = size_or_picture(data, max_pixels=max_pixels, at_once=MOST_PIXELS)
        if isinstance(found, Picture):
            look = Look(found.width, found.height, luma(found.pixels), (), failed=False, decoding=0.0)
        else:
            look = Look(*found, None, (), failed=False, decoding=0.0)
        return look, DecodeResult((), (), upscaled=False, timed_out=False)

    async def decode(
        self,
        image: Image,
        *,
        upscale: Upscale | None,
        draft: Upscale | None = None,
        deadline: float,
        after: DecodeResult | None = None,
    ) -> DecodeResult:
        del deadline, draft, after
        self.calls += 1
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        plane = luma(image)
        readings = _read(plane, "upload", 1)
        if readings or upscale is None:
            return DecodeResult(readings, (), upscaled=False, timed_out=False)
        upscaled = await upscale(plane)
        return DecodeResult(_read(upscaled.sr, "sr", 4), (), upscaled=True, timed_out=False)


def _read(plane: Image, attempt: str, scale: int) -> tuple[Reading, ...]:
    found = zxingcpp.read_barcodes(plane, formats=zxingcpp.BarcodeFormat.QRCode)
    return tuple(
        Reading(
            payload=code.bytes,
            text=code.text,
            encoding="utf-8",
            points=tuple(
                (corner.x / scale, corner.y / scale)
                for corner in (
                    code.position.top_left,
                    code.position.top_right,
                    code.position.bottom_right,
                    code.position.bottom_left,
                )
            ),
            reader="zxing",
            attempt=attempt,
        )
        for code in found
    )
