"""The order of attempts, with readers that are made up, and once with the real ones."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, TypeVarTuple

import cv2
import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from service.decoding import jobs
from service.decoding.cascade import ATTEMPTS, Attempt, Cascade, DecodeResult, Upscaled
from service.decoding.geometry import Quad
from service.decoding.jobs import Readers
from service.decoding.processes.errors import JobCrashedError, JobFailedError, JobTimeoutError
from service.decoding.reading import Reading
from tests.service.decoding.symbols import drawn

QUAD: Quad = ((10.0, 20.0), (30.0, 20.0), (30.0, 40.0), (10.0, 40.0))
IMAGE = np.zeros((16, 24), np.uint8)


def reading(payload: bytes, points: Quad = QUAD) -> Reading:
    return Reading(payload, None, None, points, "made-up", "")


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class InlinePool:
    """Runs jobs where it stands, with the context it was given, and keeps what they were asked."""

    def __init__(self, context: object = None) -> None:
        self.context = context
        self.pictures: list[NDArray[Any]] = []
        self.limits: list[float] = []
        self.brief: list[bool] = []

    async def run(
        self,
        job: Callable[[Any, *Ts], T],
        *arguments: *Ts,
        deadline: float,
        limit: float = 0.0,
        brief: bool = False,
    ) -> T:
        if time.monotonic() >= deadline:
            raise JobTimeoutError
        everything: tuple[Any, ...] = arguments
        self.pictures.append(everything[0])
        self.limits.append(limit)
        self.brief.append(brief)
        return job(self.context, *arguments)


def finds(*found: Reading) -> Callable[..., list[Reading]]:
    return lambda *_: list(found)


def raises(error: Exception) -> Callable[..., list[Reading]]:
    def job(_context: object, _picture: NDArray[Any], _attempt: str) -> list[Reading]:
        raise error

    return job


class Engine:
    """Repeats pixels, and counts."""

    def __init__(self, logits: bool = False, seconds: float = 0.0) -> None:
        self.calls = 0
        self.logits, self.seconds = logits, seconds

    async def __call__(self, luma: NDArray[np.uint8]) -> Upscaled:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        sr = np.kron(luma, np.ones((4, 4), np.uint8)).astype(np.uint8)
        return Upscaled(sr, (sr / 32 - 4).astype(np.float16) if self.logits else None)


def decode(
    attempts: list[Attempt],
    engine: Engine | None = None,
    image: NDArray[np.uint8] = IMAGE,
    seconds: float = 60.0,
    pool: InlinePool | None = None,
    draft: Engine | None = None,
) -> DecodeResult:
    cascade = Cascade(pool or InlinePool(), attempts)
    deadline = time.monotonic() + seconds
    return asyncio.run(cascade.decode(image, upscale=engine, draft=draft, deadline=deadline))


def test_first_reading_ends_it() -> None:
    engine = Engine()
    result = decode(
        [Attempt("a", finds()), Attempt("b", finds(reading(b"1"))), Attempt("c", finds(reading(b"2")))],
        engine,
    )
    assert [r.payload for r in result.readings] == [b"1"]
    assert [(a.attempt, a.outcome, a.symbols) for a in result.attempts] == [
        ("a", "nothing", 0),
        ("b", "read", 1),
    ]
    assert (result.upscaled, result.timed_out, engine.calls) == (False, False, 0)


def test_attempts_are_tried_in_their_order_and_the_upload_is_enlarged_once() -> None:
    attempts = [
        Attempt("a", finds()),
        Attempt("b", finds(), "sr"),
        Attempt("c", finds(), "logits"),
        Attempt("d", finds()),
        Attempt("e", finds(reading(b"sr")), "sr"),
        Attempt("f", finds(reading(b"never"))),
    ]
    pool = InlinePool()
    engine = Engine(logits=True)
    result = decode(attempts, engine, pool=pool)
    assert [a.attempt for a in result.attempts] == ["a", "upscale", "b", "c", "d", "e"]
    assert [picture.shape for picture in pool.pictures] == [(16, 24), (64, 96), (64, 96), (16, 24), (64, 96)]
    assert (result.upscaled, engine.calls) == (True, 1)


LOOKS = [
    Attempt("a", finds(), "draft"),
    Attempt("b", finds(), "sr"),
    Attempt("c", finds(reading(b"late")), "logits"),
]


def test_what_is_not_read_from_the_draft_is_enlarged_by_the_generator() -> None:
    engine, draft = Engine(logits=True), Engine()
    result = decode(LOOKS, engine, draft=draft)
    assert [a.attempt for a in result.attempts] == ["draft", "a", "upscale", "b", "c"]
    assert [r.payload for r in result.readings] == [b"late"]
    assert (engine.calls, draft.calls) == (1, 1)


def test_what_is_read_from_the_draft_is_not_enlarged_again() -> None:
    engine, draft = Engine(), Engine()
    result = decode([Attempt("a", finds(reading(b"1")), "draft"), *LOOKS[1:]], engine, draft=draft)
    assert [a.attempt for a in result.attempts] == ["draft", "a"]
    assert result.readings[0].points[0] == (2.125, 4.625)
    assert (result.upscaled, engine.calls, draft.calls) == (True, 0, 1)


def test_without_a_draft_its_attempts_are_left_out() -> None:
    assert [a.attempt for a in decode(LOOKS, Engine(logits=True)).attempts] == ["upscale", "b", "c"]


def test_a_draft_that_comes_too_late_ends_it() -> None:
    engine = Engine()
    result = decode(LOOKS, engine, seconds=0.05, draft=Engine(seconds=5.0))
    assert [(a.attempt, a.outcome) for a in result.attempts] == [("draft", "timeout")]
    assert (result.timed_out, result.upscaled, engine.calls) == (True, False, 0)


@pytest.mark.parametrize(("side", "order"), [(256, ["upscale", "b", "a"]), (257, ["a", "upscale", "b"])])
def test_what_needs_no_enlarging_comes_first_on_a_large_upload(side: int, order: list[str]) -> None:
    image = np.zeros((side, 256), np.uint8)
    result = decode([Attempt("b", finds(), "sr"), Attempt("a", finds())], Engine(), image)
    assert [a.attempt for a in result.attempts] == order


@pytest.mark.parametrize(
    ("shape", "tried"),
    [((128, 128), ["a", "b"]), ((129, 128), ["a"]), ((256, 256), ["a"]), ((257, 256), ["a", "b"])],
)
def test_an_attempt_may_be_left_out_at_middle_size(shape: tuple[int, int], tried: list[str]) -> None:
    attempts = [Attempt("a", finds()), Attempt("b", finds(), at_middle_size=False)]
    result = decode(attempts, Engine(), np.zeros(shape, np.uint8))
    assert [a.attempt for a in result.attempts] == tried


def test_no_attempt_is_left_out_where_nothing_is_enlarged() -> None:
    attempts = [Attempt("a", finds()), Attempt("b", finds(), at_middle_size=False)]
    result = decode(attempts, None, np.zeros((256, 256), np.uint8))
    assert [a.attempt for a in result.attempts] == ["a", "b"]


@pytest.mark.parametrize(
    ("longest", "tried"),
    [(8191, ["a", "upscale", "b", "c"]), (8192, ["a", "c"]), (32_767, ["a", "c"]), (32_768, [])],
)
def test_what_no_reader_addresses_is_neither_enlarged_nor_shown(longest: int, tried: list[str]) -> None:
    attempts = [Attempt("a", finds()), Attempt("b", finds(), "sr"), Attempt("c", finds())]
    for shape in ((4, longest), (longest, 4)):
        result = decode(attempts, Engine(), np.zeros(shape, np.uint8))
        assert [a.attempt for a in result.attempts] == tried


def test_points_of_the_upscaled_image_come_back_to_the_upload() -> None:
    """The outer edge of upload pixel n is at n - 0.5, and at 4n - 0.5 in the x4 image."""
    edges: Quad = ((-0.5, -0.5), (39.5, -0.5), (39.5, 79.5), (-0.5, 79.5))
    result = decode([Attempt("sr", finds(reading(b"1", edges)), "sr")], Engine())
    assert result.readings[0].points == ((-0.5, -0.5), (9.5, -0.5), (9.5, 19.5), (-0.5, 19.5))


def test_points_of_the_upload_stay() -> None:
    assert decode([Attempt("a", finds(reading(b"1")))]).readings[0].points == QUAD


def test_without_engine_only_the_upload_is_tried() -> None:
    result = decode([Attempt("a", finds()), Attempt("sr", finds(reading(b"1")), "sr")], None)
    assert (result.readings, result.upscaled) == ((), False)


def test_logits_go_to_those_who_want_them_and_are_passed_over_when_there_are_none() -> None:
    attempts = [Attempt("soft", finds(), "logits"), Attempt("b", finds())]
    pool = InlinePool()
    image = np.full((8, 8), 255, np.uint8)
    decode(attempts, Engine(logits=True), image, pool=pool)
    assert pool.pictures[0].shape == (32, 32)
    assert pool.pictures[0].min() > 3.9
    assert [a.attempt for a in decode(attempts, Engine()).attempts] == ["upscale", "b"]


def test_colour_becomes_rec_601_luma() -> None:
    pool = InlinePool()
    image = np.zeros((1, 3, 3), np.uint8)
    image[0] = np.diag([255, 255, 255])
    decode([Attempt("a", finds())], None, image, pool=pool)
    assert pool.pictures[0].tolist() == [[76, 150, 29]]


def test_same_symbol_twice_is_one_and_two_symbols_with_one_payload_are_two() -> None:
    near: Quad = tuple((x + 2, y) for x, y in QUAD)  # type: ignore[assignment]
    far: Quad = tuple((x + 50, y) for x, y in QUAD)  # type: ignore[assignment]
    found = [reading(b"1"), reading(b"1", near), reading(b"1", far), reading(b"2")]
    result = decode([Attempt("a", finds(*found))])
    assert [(r.payload, r.points) for r in result.readings] == [(b"1", QUAD), (b"1", far), (b"2", QUAD)]
    assert result.attempts[0].symbols == 3


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(JobTimeoutError(), "timeout"), (JobCrashedError(), "failed"), (JobFailedError(), "failed")],
)
def test_reader_that_fails_is_recorded_and_the_next_one_tried(error: Exception, outcome: str) -> None:
    result = decode([Attempt("a", raises(error)), Attempt("b", finds(reading(b"1")))])
    assert [a.outcome for a in result.attempts] == [outcome, "read"]
    assert len(result.readings) == 1
    assert not result.timed_out


def test_family_of_a_reader_that_took_too_long_is_given_up() -> None:
    stalled = Attempt("slow", raises(JobTimeoutError()), family="slow")
    cousin = Attempt("sr-slow", finds(reading(b"1")), "sr", family="slow")
    other = Attempt("sr-other", finds(reading(b"2")), "sr", family="other")
    result = decode([stalled, cousin, other], Engine())
    assert [a.attempt for a in result.attempts] == ["slow", "upscale", "sr-other"]
    assert not result.timed_out


def test_limit_of_an_attempt_reaches_the_pool() -> None:
    pool = InlinePool()
    decode([Attempt("a", finds(), limit=0.25)], pool=pool)
    assert pool.limits == [0.25]


def test_only_zxing_on_small_pictures_may_have_others_behind_it() -> None:
    for side, brief in ((512, True), (513, False)):
        pool = InlinePool()
        attempts = [replace(attempt, job=finds(), picture="upload") for attempt in ATTEMPTS]
        decode(attempts, pool=pool, image=np.zeros((side, side), np.uint8))
        asked = zip(attempts, pool.brief, strict=True)
        assert all(given == (brief and "zxing" in attempt.name) for attempt, given in asked)
        assert any(pool.brief) == brief


def test_deadline_that_has_passed_tries_nothing() -> None:
    engine = Engine()
    result = decode([Attempt("a", finds(reading(b"1")))], engine, seconds=-1.0)
    assert (result.readings, result.attempts, result.timed_out, engine.calls) == ((), (), True, 0)


def test_deadline_passes_over_the_engine() -> None:
    result = decode([Attempt("sr", finds(reading(b"1")), "sr")], Engine(seconds=60.0), seconds=0.05)
    assert [(a.attempt, a.outcome) for a in result.attempts] == [("upscale", "timeout")]
    assert (result.readings, result.upscaled, result.timed_out) == ((), False, True)


@pytest.mark.parametrize("error", [RuntimeError, TimeoutError])
def test_error_of_the_engine_is_passed_on(error: type[Exception]) -> None:
    class Broken(Engine):
        async def __call__(self, luma: NDArray[np.uint8]) -> Upscaled:
            raise error("engine", luma.shape)

    with pytest.raises(error, match="engine"):
        decode([Attempt("sr", finds(), "sr")], Broken())


def test_released_order_reads_a_symbol_that_needs_the_upscaled_image(readers: Readers) -> None:
    """Blurred to 1.25 px a module for the upload; the engine is one that knows the answer."""
    sharp = drawn(segno.make_qr("https://example.org/only-upscaled", version=4), 5, 4)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 3.5)
    upload = cv2.resize(blurred, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.uint8)

    async def knows(luma: NDArray[np.uint8]) -> Upscaled:
        assert luma.shape == upload.shape
        return Upscaled(np.ascontiguousarray(sharp[: 4 * luma.shape[0], : 4 * luma.shape[1]]))

    cascade = Cascade(InlinePool(readers))
    result = asyncio.run(cascade.decode(upload, upscale=knows, deadline=time.monotonic() + 60))
    (found,) = result.readings
    assert found.payload == b"https://example.org/only-upscaled"
    assert result.upscaled
    # 20 pixels of quiet zone and 33 modules of 5 pixels, by 4.
    np.testing.assert_allclose(found.points[0], (4.5, 4.5), atol=1.0)
    np.testing.assert_allclose(found.points[2], (45.75, 45.75), atol=1.0)


@pytest.mark.parametrize("quiet", [0, 4])
def test_released_order_reads_inverted_symbols(readers: Readers, quiet: int) -> None:
    image = 255 - drawn(segno.make_qr("LIGHT ON DARK", version=2), 3, quiet)
    cascade = Cascade(InlinePool(readers))
    result = asyncio.run(cascade.decode(image, upscale=Engine(), deadline=time.monotonic() + 60))
    assert [r.payload for r in result.readings] == [b"LIGHT ON DARK"]


def test_released_order_begins_with_the_cheapest_reader_on_the_upload() -> None:
    assert (ATTEMPTS[0].job, ATTEMPTS[0].picture) == (jobs.zxing, "upload")
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS)


def test_kinds_reach_the_readers_that_know_them_and_keep_out_the_others() -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def noted(name: str) -> Callable[..., list[Reading]]:
        def job(_context: object, _picture: object, _attempt: str, *rest: object) -> list[Reading]:
            asked.append((name, rest))
            return []

        return job

    attempts = [Attempt("knows", noted("knows"), kinds=True), Attempt("does not", noted("does not"))]
    image = np.zeros((64, 64), np.uint8)
    for kinds in (("qr", "micro_qr"), ("micro_qr",)):
        asked.clear()
        cascade = Cascade(InlinePool(), attempts)
        asyncio.run(cascade.decode(image, upscale=None, deadline=time.monotonic() + 5, kinds=kinds))
        assert [name for name, _ in asked] == (["knows", "does not"] if "qr" in kinds else ["knows"])
        assert asked[0][1] == (kinds,)


def test_what_is_expected_reaches_the_reader_that_knows_what_to_do_with_it() -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def noted(name: str) -> Callable[..., list[Reading]]:
        def job(_context: object, _picture: object, _attempt: str, *rest: object) -> list[Reading]:
            asked.append((name, rest))
            return []

        return job

    attempts = [Attempt("knows", noted("knows"), expects=True), Attempt("does not", noted("does not"))]
    image = np.zeros((64, 64), np.uint8)
    for expect, told in (("prefix:a", ("prefix:a",)), ("", ())):
        asked.clear()
        cascade = Cascade(InlinePool(), attempts)
        asyncio.run(cascade.decode(image, upscale=None, deadline=time.monotonic() + 5, expect=expect))
        assert asked == [("knows", told), ("does not", ())]
    assert [attempt.name for attempt in ATTEMPTS if attempt.expects] == ["soft"]


def test_channels_of_a_colour_picture_are_looked_at_last() -> None:
    rng = np.random.default_rng(5)
    for image in (np.zeros((64, 64), np.uint8), rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)):
        found = decode([Attempt("a", finds()), Attempt("b", finds())], image=image)
        names = [record.attempt for record in found.attempts]
        assert names == ["a", "b"] + ["zxing-channels"] * (image.ndim == 3)


def test_a_reader_that_stops_by_its_own_clock_has_timed_out() -> None:
    result = decode([Attempt("late", raises(JobFailedError("ReaderTimeoutError"))), Attempt("a", finds())])
    assert [record.outcome for record in result.attempts] == ["timeout", "nothing"]
