"""Uploads in decoder processes: decoded, read where they are small, and refused as by the parsers themselves."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model_store.contract import Image as Plane
from model_store.contract import luma
from service.decoding import jobs
from service.decoding.cascade import ATTEMPTS, AttemptRecord, DecodeResult, Upscaled
from service.decoding.processes.errors import JobCrashedError, JobTimeoutError, PoolError
from service.decoding.processes.pool import DecoderPool
from service.errors import ServiceError
from service.imaging import decode
from service.pipeline.decoder import DecoderProcesses
from service.pipeline.upload_jobs import (
    SMALL_PIXELS,
    Opened,
    open_upload,
    prepared,
    read_upload,
    understood,
)
from service.settings import Settings
from tests.builders.images import encode, pattern, symbol
from tests.service.decoding.processes import pool_jobs

MOST = 16_000_000


@pytest.fixture(scope="module")
def readers() -> jobs.Readers:
    return prepared(None)


def seen(readers: jobs.Readers, data: bytes, max_pixels: int = MOST) -> Opened:
    return understood(read_upload(readers, data, max_pixels, "first"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_clear_symbol_is_read_and_its_image_stays_there(readers: jobs.Readers, kind: str) -> None:
    data = encode(symbol("CLEAR"), kind)
    found = seen(readers, data)
    assert [(one.payload, one.attempt) for one in found.readings] == [(b"CLEAR", "first")]
    assert found.picture is None
    assert not found.failed
    picture = decode(data, max_pixels=MOST)
    assert (found.width, found.height) == (picture.width, picture.height)
    assert 0 < found.seconds < 10


def test_several_symbols_are_told_once_each(readers: jobs.Readers) -> None:
    pixels = np.hstack([symbol("LEFT", scale=3), symbol("RIGHT", scale=3)])
    assert sorted(one.payload for one in seen(readers, encode(pixels)).readings) == [b"LEFT", b"RIGHT"]


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_not_read_comes_back_as_luma(readers: jobs.Readers, *, turned: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    data = encode(pattern(30, 50), exif=exif)
    found = seen(readers, data)
    assert found.picture is not None
    assert found.readings == ()
    np.testing.assert_array_equal(found.picture.pixels, luma(decode(data, max_pixels=MOST).pixels))
    assert (found.height, found.width) == found.picture.pixels.shape == ((50, 30) if turned else (30, 50))


def test_a_large_image_is_not_decoded_with_its_header(readers: jobs.Readers) -> None:
    data = encode(np.full((400, 400), 255, np.uint8))
    for found in (seen(readers, data), understood(open_upload(readers, data, MOST, 400 * 400 - 1, False))):
        assert (found.width, found.height, found.picture, found.readings) == (400, 400, None, ())
        assert found.seconds > 0
    assert SMALL_PIXELS < 400 * 400


@pytest.mark.parametrize("alpha", [False, True])
def test_an_opened_image_keeps_colours_and_alpha_unless_its_luma_is_wanted(
    readers: jobs.Readers, *, alpha: bool
) -> None:
    pixels = pattern(30, 50)
    if alpha:
        pixels = np.dstack([pixels, np.arange(1500, dtype=np.uint8).reshape(30, 50)])
    data = encode(pixels)
    expected = decode(data, max_pixels=MOST)
    colour, grey = (understood(open_upload(readers, data, MOST, 1500, grey)) for grey in (False, True))
    assert colour.picture is not None
    assert grey.picture is not None
    np.testing.assert_array_equal(colour.picture.pixels, expected.pixels)
    assert (colour.picture.alpha is None) == (expected.alpha is None) == (not alpha)
    if colour.picture.alpha is not None and expected.alpha is not None:
        np.testing.assert_array_equal(colour.picture.alpha, expected.alpha)
    np.testing.assert_array_equal(grey.picture.pixels, luma(expected.pixels))
    assert grey.picture.alpha is None


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
    with pytest.raises(ServiceError) as opening:
        understood(open_upload(readers, data, 10_000, 10_000, False))
    with pytest.raises(ServiceError) as there:
        decode(data, max_pixels=10_000)
    assert here.value.code == opening.value.code == there.value.code == code
    assert here.value.detail == opening.value.detail == there.value.detail


def test_a_reader_that_raises_leaves_the_image_to_the_others(
    readers: jobs.Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(jobs, "zxing", broken)
    found = seen(readers, encode(symbol("CLEAR")))
    assert found.failed
    assert found.picture is not None
    assert found.readings == ()


@pytest.mark.parametrize(
    "answer",
    [
        {"pixels": np.zeros((3, 5), np.float64)},
        {"pixels": np.zeros((5, 3), np.uint8)},
        {"pixels": np.zeros((3, 5, 4), np.uint8)},
        {"pixels": np.zeros((3, 5), np.uint8), "alpha": np.zeros((3, 5, 3), np.uint8)},
        {"pixels": np.zeros((3, 5), np.uint8), "alpha": np.zeros((3, 4), np.uint8)},
    ],
)
def test_an_answer_whose_image_does_not_fit_its_size_is_not_believed(answer: Any) -> None:
    with pytest.raises(ValueError, match="not what its size says"):
        understood(answer | {"size": (5, 3), "seconds": 0.1})


def with_processes(settings: Settings, scenario: Callable[[DecoderProcesses], Any]) -> Any:
    async def run() -> Any:
        decoder = DecoderProcesses(settings.model_copy(update={"decoders": 2}))
        await decoder.start()
        try:
            return await scenario(decoder)
        finally:
            await decoder.stop()

    return asyncio.run(run())


def unseen(_: AttemptRecord) -> None:
    return None


def soon() -> float:
    return time.monotonic() + 30


@pytest.mark.processes
def test_confined_processes_decode_every_format(settings: Settings) -> None:
    kinds = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

    async def scenario(decoder: DecoderProcesses) -> list[tuple[Opened, DecodeResult]]:
        return [
            await decoder.read_small(encode(symbol(kind), kind), max_pixels=MOST, deadline=soon())
            for kind in kinds
        ]

    for kind, (found, result) in zip(kinds, with_processes(settings, scenario), strict=True):
        assert [one.payload for one in found.readings] == [kind.encode()]
        assert result.readings == found.readings
        assert [(one.attempt, one.outcome, one.symbols) for one in result.attempts] == [("zxing", "read", 1)]
        assert result.attempts[0].milliseconds >= 0


@pytest.mark.processes
def test_reading_in_two_steps_tries_the_same_and_reads_the_same(settings: Settings) -> None:
    """By both ways the same symbols by the same attempts: read at once, read from the enlarged image, nothing read."""
    images: list[Plane] = [symbol("CLEAR"), luma(pattern(29, 29)), luma(pattern(60, 60))]

    async def upscale(plane: Plane) -> Upscaled:
        found = symbol("LARGE", border=4) if plane.shape == (29, 29) else np.zeros((240, 240), np.uint8)
        return Upscaled(found)

    async def scenario(decoder: DecoderProcesses) -> list[tuple[DecodeResult, DecodeResult]]:
        pairs = []
        for image in images:
            found, first = await decoder.read_small(encode(image), max_pixels=MOST, deadline=soon())
            in_two_steps = first
            if found.picture is not None:
                in_two_steps = await decoder.decode(
                    found.picture.pixels, upscale=upscale, deadline=soon(), observe=unseen, after=first
                )
            pairs.append(
                (in_two_steps, await decoder.decode(image, upscale=upscale, deadline=soon(), observe=unseen))
            )
        return pairs

    pairs = with_processes(settings, scenario)
    for in_two_steps, direct in pairs:
        assert in_two_steps.readings == direct.readings
        assert in_two_steps.upscaled == direct.upscaled
        told = [[(one.attempt, one.outcome) for one in result.attempts] for result in (in_two_steps, direct)]
        assert told[0] == told[1]
    assert [len(direct.readings) for _, direct in pairs] == [1, 1, 0]
    assert [direct.upscaled for _, direct in pairs] == [False, True, True]


@pytest.mark.processes
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
    "opening",
    [
        lambda decoder: decoder.read_small(encode(symbol("ANY")), max_pixels=MOST, deadline=soon()),
        lambda decoder: decoder.open(encode(symbol("ANY")), max_pixels=MOST, at_once=MOST, deadline=soon()),
    ],
    ids=["read", "open"],
)
@pytest.mark.parametrize(
    ("failure", "code"),
    [(JobCrashedError("two ended"), "damaged_image"), (JobTimeoutError("late"), "deadline_exceeded")],
)
def test_an_image_that_ends_its_processes_or_takes_too_long_is_refused(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    failure: PoolError,
    code: str,
    opening: Callable[[DecoderProcesses], Coroutine[Any, Any, object]],
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    decoder = DecoderProcesses(settings)
    monkeypatch.setattr(DecoderPool, "run", fail)
    with pytest.raises(ServiceError) as refused:
        asyncio.run(opening(decoder))
    assert refused.value.code == code
    assert refused.value.reason == ("deadline" if code == "deadline_exceeded" else None)


def test_the_first_attempt_is_the_one_on_small_images() -> None:
    assert ATTEMPTS[0].job is jobs.zxing
    assert ATTEMPTS[0].picture == "upload"
