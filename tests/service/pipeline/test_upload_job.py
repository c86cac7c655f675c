"""What a decoder process makes of an upload at first, and what the service makes of that."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model_store.contract import Image as Plane
from model_store.contract import luma
from service.decoding import jobs
from service.decoding.cascade import ATTEMPTS, DecodeResult, Upscaled
from service.decoding.processes.errors import JobCrashedError, JobTimeoutError, PoolError
from service.decoding.processes.pool import DecoderPool
from service.errors import ServiceError
from service.imaging import decode
from service.pipeline.decoder import DecoderProcesses
from service.pipeline.upload_job import MOST_PIXELS, Look, look, prepared, understood
from service.settings import Settings
from tests.builders.images import encode, pattern, symbol
from tests.service.decoding.processes import pool_jobs

MOST = 16_000_000


@pytest.fixture(scope="module")
def readers() -> jobs.Readers:
    return prepared(None)


def seen(readers: jobs.Readers, data: bytes, max_pixels: int = MOST) -> Look:
    return understood(look(readers, data, max_pixels, "first"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_clear_symbol_is_read_and_its_image_stays_there(readers: jobs.Readers, kind: str) -> None:
    data = encode(symbol("CLEAR"), kind)
    found = seen(readers, data)
    assert [(one.payload, one.attempt) for one in found.readings] == [(b"CLEAR", "first")]
    assert found.image is None
    assert found.decoded
    assert not found.failed
    picture = decode(data, max_pixels=MOST)
    assert (found.width, found.height) == (picture.width, picture.height)
    assert 0 < found.decoding < 10


def test_several_symbols_are_told_once_each(readers: jobs.Readers) -> None:
    pixels = np.hstack([symbol("LEFT", scale=3), symbol("RIGHT", scale=3)])
    assert sorted(one.payload for one in seen(readers, encode(pixels)).readings) == [b"LEFT", b"RIGHT"]


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_not_read_comes_back_as_luma(readers: jobs.Readers, *, turned: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    data = encode(pattern(30, 50), exif=exif)
    found = seen(readers, data)
    assert found.image is not None
    assert found.decoded
    assert found.readings == ()
    np.testing.assert_array_equal(found.image, luma(decode(data, max_pixels=MOST).pixels))
    assert (found.height, found.width) == found.image.shape == ((50, 30) if turned else (30, 50))


def test_a_large_image_is_not_decoded(readers: jobs.Readers) -> None:
    found = seen(readers, encode(np.full((400, 400), 255, np.uint8)))
    assert (found.width, found.height, found.image, found.decoded) == (400, 400, None, False)
    assert MOST_PIXELS < 400 * 400
    assert found.decoding > 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no image at all", "unsupported_image_format"),
        (encode(symbol("CUT", scale=2))[:-40], "damaged_image"),
        (encode(pattern(4, 40)), "image_too_small"),
        (encode(pattern(101, 100)), "image_too_large"),
    ],
)
def test_refusals_are_those_of_the_decoder(readers: jobs.Readers, data: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as here:
        seen(readers, data, max_pixels=10_000)
    with pytest.raises(ServiceError) as there:
        decode(data, max_pixels=10_000)
    assert here.value.code == there.value.code == code
    assert here.value.detail == there.value.detail


def test_a_reader_that_raises_leaves_the_image_to_the_others(
    readers: jobs.Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(jobs, "zxing", broken)
    found = seen(readers, encode(symbol("CLEAR")))
    assert found.failed
    assert found.image is not None
    assert found.readings == ()


@pytest.mark.parametrize("image", [np.zeros((3, 5), np.float64), np.zeros((5, 3), np.uint8)])
def test_an_image_that_is_none_is_not_believed(image: Any) -> None:
    with pytest.raises(ValueError, match="not what its size says"):
        understood({"size": (5, 3), "image": image})


def with_processes(settings: Settings, scenario: Callable[[DecoderProcesses], Any]) -> Any:
    async def run() -> Any:
        decoder = DecoderProcesses(settings.model_copy(update={"decoders": 2}))
        await decoder.start()
        try:
            return await scenario(decoder)
        finally:
            await decoder.stop()

    return asyncio.run(run())


def soon() -> float:
    return time.monotonic() + 30


def test_confined_processes_decode_every_format(settings: Settings) -> None:
    kinds = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

    async def scenario(decoder: DecoderProcesses) -> list[tuple[Look, DecodeResult]]:
        return [
            await decoder.look(encode(symbol(kind), kind), max_pixels=MOST, deadline=soon()) for kind in kinds
        ]

    for kind, (found, result) in zip(kinds, with_processes(settings, scenario), strict=True):
        assert [one.payload for one in found.readings] == [kind.encode()]
        assert result.readings == found.readings
        assert [(one.attempt, one.outcome, one.symbols) for one in result.attempts] == [("zxing", "read", 1)]
        assert result.attempts[0].milliseconds >= 0


def test_after_a_look_the_other_readers_have_their_turn_and_no_other_answer(settings: Settings) -> None:
    """By both ways the same symbols by the same attempts: read at once, read from the enlarged image, nothing read."""
    images: list[Plane] = [symbol("CLEAR"), luma(pattern(29, 29)), luma(pattern(60, 60))]

    async def upscale(plane: Plane) -> Upscaled:
        found = symbol("LARGE", border=4) if plane.shape == (29, 29) else np.zeros((240, 240), np.uint8)
        return Upscaled(found)

    async def scenario(decoder: DecoderProcesses) -> list[tuple[DecodeResult, DecodeResult]]:
        pairs = []
        for image in images:
            found, first = await decoder.look(encode(image), max_pixels=MOST, deadline=soon())
            by_look = first
            if found.image is not None:
                by_look = await decoder.decode(found.image, upscale=upscale, deadline=soon(), after=first)
            pairs.append((by_look, await decoder.decode(image, upscale=upscale, deadline=soon())))
        return pairs

    pairs = with_processes(settings, scenario)
    for by_look, direct in pairs:
        assert by_look.readings == direct.readings
        assert by_look.upscaled == direct.upscaled
        told = [[(one.attempt, one.outcome) for one in result.attempts] for result in (by_look, direct)]
        assert told[0] == told[1]
    assert [len(direct.readings) for _, direct in pairs] == [1, 1, 0]
    assert [direct.upscaled for _, direct in pairs] == [False, True, True]


def test_processes_load_neither_web_framework_nor_engine() -> None:
    async def scenario() -> list[str]:
        pool = DecoderPool(prepared, None, size=1, memory_bytes=4 << 30, confined=True)
        await pool.start()
        try:
            return await pool.run(pool_jobs.modules, deadline=soon())
        finally:
            await pool.close()

    found = {name.partition(".")[0] for name in asyncio.run(scenario())}
    assert {"PIL", "cv2", "zxingcpp"} <= found
    assert not found & {"fastapi", "starlette", "uvicorn", "pydantic", "onnxruntime", "torch", "scipy"}


@pytest.mark.parametrize(
    ("failure", "code"),
    [(JobCrashedError("two ended"), "damaged_image"), (JobTimeoutError("late"), "deadline_exceeded")],
)
def test_an_image_that_ends_its_processes_or_takes_too_long_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, failure: PoolError, code: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    decoder = DecoderProcesses(settings)
    monkeypatch.setattr(DecoderPool, "run", fail)
    with pytest.raises(ServiceError) as refused:
        asyncio.run(decoder.look(encode(symbol("ANY")), max_pixels=MOST, deadline=soon()))
    assert refused.value.code == code
    assert refused.value.reason == ("deadline" if code == "deadline_exceeded" else None)


def test_the_first_attempt_is_the_one_that_looks() -> None:
    assert ATTEMPTS[0].job is jobs.zxing
    assert ATTEMPTS[0].picture == "upload"
