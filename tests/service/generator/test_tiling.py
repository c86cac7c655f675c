"""Tiles cover everything once, keep clear of their edges, and change nothing in the picture."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_store.contract import pad_to_multiple, quantise, to_tensor
from service.decoding.cascade import Upscaled
from service.generator.engine import OnnxEngine
from service.generator.queue import EngineThreads
from service.generator.tiling import plan
from service.generator.upscaler import Upscaler
from tests.builders.engines import Unwatched
from tests.builders.images import pattern
from tests.builders.model import RADIUS, write_tiny_model

LENGTH = st.integers(1, 700)


@pytest.mark.slow
@given(
    height=LENGTH, width=LENGTH, tile=st.integers(64, 256), radius=st.integers(0, 60), unit=st.integers(1, 12)
)
@settings(deadline=None, derandomize=True)
def test_cover_margin_and_phase(height: int, width: int, tile: int, radius: int, unit: int) -> None:
    height, width = height * unit, width * unit
    count = np.zeros((height, width), np.uint8)
    for piece in plan(height, width, tile=tile, radius=radius, multiple=unit):
        rows, columns = piece.rows, piece.columns
        count[rows.keep_start : rows.keep_stop, columns.keep_start : columns.keep_stop] += 1
        for span, length in ((rows, height), (columns, width)):
            assert 0 <= span.start <= span.keep_start < span.keep_stop <= span.stop <= length
            assert span.start % 8 == 0
            assert span.start % unit == 0
            assert (span.stop - span.start) % unit == 0
            assert span.keep_start - span.start >= radius or span.start == 0
            assert span.stop - span.keep_stop >= radius or span.stop == length
    assert (count == 1).all()


def test_small_planes_are_one_tile() -> None:
    assert len(list(plan(64, 64, tile=64, radius=8, multiple=2))) == 1
    assert len(list(plan(64, 65, tile=64, radius=8, multiple=1))) == 2


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    return OnnxEngine(write_tiny_model(tmp_path_factory.mktemp("store")), device="cpu", threads=1, tile=64)


@pytest.fixture(scope="module")
def thread(engine: OnnxEngine) -> Iterator[EngineThreads]:
    thread = EngineThreads(engine, capacity=4, watcher=Unwatched())
    thread.start()
    yield thread
    thread.stop()


@pytest.mark.slow
@given(height=st.integers(8, 300), width=st.integers(8, 300), seed=st.integers(0, 3))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_tiled_equals_whole(thread: EngineThreads, height: int, width: int, seed: int) -> None:
    plane = pattern(height, width, seed=seed)[..., 0]

    async def tiled() -> Upscaled:
        with ThreadPoolExecutor(1) as executor:
            upscaler = Upscaler(thread, executor, tile=64)
            return await upscaler.upscale(plane, logits=True, deadline=time.monotonic() + 60)

    whole = thread.engine.run(to_tensor(pad_to_multiple(plane, 2)), logits=True)
    assert whole.logits is not None
    crop = (0, 0, slice(4 * height), slice(4 * width))
    result = asyncio.run(tiled())
    assert result.sr.shape == (4 * height, 4 * width)
    assert np.abs(result.sr.astype(int) - quantise(whole.sr[crop])).max() <= 1
    assert result.logits is not None
    assert result.logits.dtype == np.float16
    np.testing.assert_allclose(result.logits, whole.logits[crop], atol=0.02, rtol=0.01)


@pytest.mark.parametrize("logits", [True, False], ids=["for readers", "for people"])
def test_readers_see_the_logits_and_people_the_picture_of_a_generator_with_both(
    tmp_path: Path, logits: bool
) -> None:
    folder = write_tiny_model(tmp_path, readable="logits")
    plane = pattern(40, 56)[..., 0]

    async def enlarged() -> Upscaled:
        built = OnnxEngine(folder, device="cpu", threads=1, tile=32)
        threads = EngineThreads(built, capacity=8, watcher=Unwatched())
        threads.start()
        with ThreadPoolExecutor(1) as executor:
            try:
                upscaler = Upscaler(threads, executor, tile=32)
                return await upscaler.upscale(plane, logits=logits, deadline=time.monotonic() + 60)
            finally:
                threads.stop()

    result = asyncio.run(enlarged())
    shown = result.picture if logits else result.sr
    assert shown is not None
    assert abs(shown.astype(float).mean() - plane.mean()) < 3
    if logits:
        # The logits of the tiny model are those of the negative.
        assert np.abs(result.sr.astype(int) + shown - 255).max() <= 1
    else:
        assert result.picture is None


def test_the_tiny_models_radius_is_not_understated(engine: OnnxEngine) -> None:
    """Else the test above would prove nothing."""
    lr = np.full((1, 1, 64, 64), 0.5, np.float32)
    before = engine.run(lr, logits=False).sr
    lr[0, 0, 32, 32] = 1
    changed = np.argwhere(np.abs(engine.run(lr, logits=False).sr - before)[0, 0] > 1e-6)
    assert 0 < np.abs(changed / 4 - 32).max() <= RADIUS


@pytest.mark.slow
def test_released_model_tiled_equals_whole() -> None:
    folder = Path("model_store/qr_sr_x4/1")
    if not (folder / "manifest.json").is_file():
        pytest.skip("no released generator")
    engine = OnnxEngine(folder, device="cpu", threads=2, tile=64)
    plane = pattern(120, 248)[..., 0]
    thread = EngineThreads(engine, capacity=4, watcher=Unwatched())
    thread.start()

    async def tiled() -> Upscaled:
        with ThreadPoolExecutor(1) as executor:
            upscaler = Upscaler(thread, executor, tile=64)
            return await upscaler.upscale(plane, logits=False, deadline=time.monotonic() + 60)

    try:
        result = asyncio.run(tiled())
    finally:
        thread.stop()
    whole = quantise(engine.run(to_tensor(plane), logits=False).sr[0, 0])
    assert np.abs(result.sr.astype(int) - whole).max() <= 1
