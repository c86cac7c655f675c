"""The way of an upload: where it is decoded, and what its stages are said to have taken."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from model_store.contract import Image
from service import imaging
from service.decoding.cascade import AttemptRecord, DecodeResult, Upscale
from service.decoding.reading import Kind
from service.decoding.zxing import QR
from service.errors import ServiceError
from service.pipeline import upload_jobs
from service.pipeline.answers import DecodeAnswer, UpscaleQuery
from service.pipeline.read_and_enlarge import enlarge, read
from service.pipeline.runtime import Task, opened
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.images import encode, pattern, symbol


def on_ground(height: int, width: int) -> bytes:
    """A symbol in the corner of an image, PNG."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    found = symbol("LARGE OR SMALL")
    pixels[: found.shape[0], : found.shape[1]] = found[..., None]
    return encode(pixels)


@pytest.mark.processes
def test_no_upload_is_parsed_in_the_process_of_the_event_loop(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*_: object, **__: object) -> None:
        raise AssertionError("an upload was parsed outside of decoder processes")

    async def run() -> None:
        async with opened(settings.model_copy(update={"decoders": 1})) as services:
            monkeypatch.setattr(Pil, "open", here)
            monkeypatch.setattr(imaging, "size_or_picture", here)
            monkeypatch.setattr(imaging, "decode", here)
            monkeypatch.setattr(upload_jobs, "size_or_picture", here)
            for height, width in ((130, 150), (500, 700)):
                assert (height * width > upload_jobs.SMALL_PIXELS) == (height == 500)
                data = on_ground(height, width)
                answer = await read(Task.of(services, data))
                assert [one.text for one in answer.symbols] == ["LARGE OR SMALL"]
                assert (answer.image.height, answer.image.width) == (height, width)
                enlarged = await enlarge(Task.of(services, data), UpscaleQuery())
                assert (enlarged.size.height, enlarged.size.width) == (4 * height, 4 * width)

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize("side", [40, 400])
def test_the_size_is_that_of_the_image_as_it_is_displayed(settings: Settings, side: int) -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Pil.fromarray(pattern(side, 2 * side)).save(stream, "JPEG", exif=exif)

    async def run() -> DecodeAnswer:
        async with opened(settings, decoder=lambda _: InProcessDecoder()) as services:
            return await read(Task.of(services, stream.getvalue()))

    answer = asyncio.run(run())
    assert (answer.image.width, answer.image.height) == (side, 2 * side)


class Recorded(InProcessDecoder):
    """Reads nothing, and says what attempts have taken."""

    def __init__(self, records: list[AttemptRecord]) -> None:
        super().__init__()
        self._records = records

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
        del draft, deadline, after, kinds, expect
        assert upscale is not None
        await upscale(image)
        for record in self._records:
            observe(record)
        return DecodeResult((), tuple(self._records), upscaled=True, timed_out=False)


def test_a_reader_s_time_is_that_of_the_picture_it_looked_at(settings: Settings) -> None:
    """Attempts on the upload that come after enlarging are of the stage `read_upload` all the same."""
    records = [
        AttemptRecord("zxing", 10.0, "nothing", 0, "upload"),
        AttemptRecord("draft", 500.0, "done", 0),
        AttemptRecord("draft-zxing", 20.0, "nothing", 0, "draft"),
        AttemptRecord("upscale", 1000.0, "done", 0),
        AttemptRecord("sr-zxing", 40.0, "nothing", 0, "sr"),
        AttemptRecord("soft", 80.0, "failed", 0, "logits"),
        AttemptRecord("wechat", 160.0, "nothing", 0, "upload"),
    ]

    async def run() -> tuple[dict[str, float], dict[str, float]]:
        async with opened(settings, decoder=lambda _: Recorded(records)) as services:
            answer = await read(Task.of(services, encode(pattern(20, 20))))
            counted: dict[str, Any] = {
                stage: services.metrics.stage_seconds.labels(stage)._sum.get()
                for stage in ("read_upload", "read_upscaled")
            }
        return answer.timings_ms, counted

    told, counted = asyncio.run(run())
    assert told["read_upload"] == pytest.approx(170.0)
    assert told["read_upscaled"] == pytest.approx(140.0)
    assert counted == {"read_upload": pytest.approx(0.17), "read_upscaled": pytest.approx(0.14)}
    assert told["upscale"] < 500, "the engine's time is its own, not that of its record"


@pytest.mark.parametrize("waiting", [True, False])
def test_a_deadline_that_passed_tells_whether_another_try_is_worth_it(
    settings: Settings, waiting: bool
) -> None:
    class Late(Recorded):
        async def decode(self, *_: Any, **__: Any) -> DecodeResult:
            return DecodeResult((), (), upscaled=False, timed_out=True)

    async def run() -> ServiceError:
        async with opened(settings, decoder=lambda _: Late([])) as services:
            task = Task.of(services, encode(pattern(20, 20)))
            task.stages.add("wait" if waiting else "inference", 0.9 * settings.deadline_s)
            with pytest.raises(ServiceError) as caught:
                await read(task)
        return caught.value

    error = asyncio.run(run())
    assert error.code == "deadline_exceeded"
    assert error.retry_after == (1 if waiting else None)
    assert ("try again" in error.detail) == waiting
