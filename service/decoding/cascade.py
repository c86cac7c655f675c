"""The order in which readers look for a symbol, and what becomes of their answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar, TypeVarTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from service.decoding import jobs
from service.decoding.geometry import same_place
from service.decoding.pool import JobCrashedError, JobTimeoutError
from service.decoding.process import JobFailedError
from service.decoding.reading import Reading

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SCALE = 4
Outcome = Literal["read", "nothing", "done", "timeout", "failed"]


@dataclass(frozen=True, slots=True)
class Upscaled:
    """What the engine gives for one upload."""

    sr: NDArray[np.uint8]
    """`(4h, 4w)` luma."""
    logits: NDArray[np.float16] | NDArray[np.float32] | None = None
    """`(4h, 4w)`, dark modules negative, or None where the model gives none."""


Upscale = Callable[[NDArray[np.uint8]], Awaitable[Upscaled]]
"""Takes the upload's luma `(h, w) uint8`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One look at one picture with one reader."""

    name: str
    job: Callable[[Any, NDArray[Any], str], list[Reading]]
    """Gets the picture and `name`; runs in a decoder process."""
    picture: Literal["upload", "sr", "logits"] = "upload"
    inverted: bool = False
    """Whether the picture is turned light for dark first."""
    limit: float = 2.0
    """Seconds it may take in its process, however far the deadline is."""
    family: str = ""
    """Attempts of one family are given up together when one of them exceeds its limit; empty for none."""

    def seen(self, picture: NDArray[Any]) -> NDArray[Any]:
        """`picture` as the job gets it: turned light for dark where the attempt asks for that."""
        if not self.inverted:
            return picture
        return -picture if self.picture == "logits" else 255 - picture


# zxing comes first: it takes a tenth of WeChat's time and its bytes need no confirmation. Both find inverted
# symbols by themselves, but the quiet zone put around a tight crop is a light one, hence the last attempts.
# WeChat can take 8 s over 1,024 x 1,024 pixels of noise, and no less over the same noise enlarged.
ATTEMPTS = (
    Attempt("zxing", jobs.zxing),
    Attempt("wechat", jobs.wechat, family="wechat"),
    Attempt("wechat-plain", jobs.wechat_plain, family="wechat"),
    Attempt("sr-zxing", jobs.zxing, "sr"),
    Attempt("sr-wechat", jobs.wechat, "sr", family="wechat"),
    Attempt("soft", jobs.soft, "logits"),
    Attempt("sr-wechat-plain", jobs.wechat_plain, "sr", family="wechat"),
    Attempt("sr-inverted-zxing", jobs.zxing, "sr", inverted=True),
    Attempt("sr-inverted-wechat", jobs.wechat, "sr", inverted=True, family="wechat"),
)


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """What one attempt did and how long it took, waiting for a process included."""

    attempt: str
    """Name of the attempt; `upscale` for the engine's part, whose outcome is `done` or `timeout`."""
    milliseconds: float
    outcome: Outcome
    symbols: int


@dataclass(frozen=True, slots=True)
class DecodeResult:
    """What was read from one upload."""

    readings: tuple[Reading, ...]
    """Points in pixels of the upload."""
    attempts: tuple[AttemptRecord, ...]
    """In the order of time."""
    upscaled: bool
    """Whether the x4 image was made."""
    timed_out: bool
    """The deadline passed before every attempt that might have read something had its turn."""


class Pool(Protocol):
    """What the cascade needs of a `DecoderPool`."""

    async def run(
        self, job: Callable[[Any, *Ts], T], *arguments: *Ts, deadline: float, limit: float = ...
    ) -> T:
        """Do `job(context, *arguments)` in a process; see `DecoderPool.run`."""
        ...


class Cascade:
    """Tries reader after reader on an upload, then on its x4 image, until one reads something."""

    def __init__(self, pool: Pool, attempts: Iterable[Attempt] = ATTEMPTS) -> None:
        """Attempts on the upload come first, then, in their order, those on what the engine makes of it."""
        self._pool = pool
        attempts = tuple(attempts)
        self._first = [attempt for attempt in attempts if attempt.picture == "upload"]
        self._then = [attempt for attempt in attempts if attempt.picture != "upload"]

    async def decode(
        self, image: NDArray[np.uint8], *, upscale: Upscale | None, deadline: float
    ) -> DecodeResult:
        """Read the symbols in `image`.

        What `upscale` raises is passed on. A reader that fails or takes too long is recorded, and the next
        one tried.

        Args:
            image: `(h, w)` luma or `(h, w, 3)` RGB, uint8.
            upscale: called at most once, and only when nothing was read from the upload; None to do without.
            deadline: on the clock of `time.monotonic()`, seconds.
        """
        luma = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8)
        run = _Run(self._pool, deadline)
        readings = await run.first_of(self._first, luma, None)
        if readings or upscale is None or run.timed_out:
            return run.result(readings, upscaled=False)
        made = await run.upscaled(upscale, luma)
        if made is None:
            return run.result([], upscaled=False)
        found = await run.first_of(self._then, made.sr, made.logits)
        return run.result([_in_upload(reading) for reading in found], upscaled=True)


class _Run:
    """The attempts on one upload and their record."""

    def __init__(self, pool: Pool, deadline: float) -> None:
        self._pool, self._deadline = pool, deadline
        self._records: list[AttemptRecord] = []
        self._given_up: set[str] = set()
        self.timed_out = False

    def result(self, readings: Iterable[Reading], *, upscaled: bool) -> DecodeResult:
        return DecodeResult(tuple(readings), tuple(self._records), upscaled, self.timed_out)

    async def first_of(
        self, attempts: Iterable[Attempt], picture: NDArray[np.uint8], logits: NDArray[Any] | None
    ) -> list[Reading]:
        """The readings of the first attempt that has any."""
        for attempt in attempts:
            source: NDArray[Any] | None = logits if attempt.picture == "logits" else picture
            if source is None or attempt.family in self._given_up:
                continue
            if time.monotonic() >= self._deadline:
                self.timed_out = True
                break
            readings = await self._one(attempt, source)
            if readings:
                return readings
        return []

    async def upscaled(self, upscale: Upscale, luma: NDArray[np.uint8]) -> Upscaled | None:
        """The engine's work, or None where the deadline passed over it."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline - start) as ours:
                made = await upscale(luma)
        except TimeoutError:
            if not ours.expired():
                raise
            self.timed_out = True
            self._record("upscale", start, "timeout", 0)
            return None
        self._record("upscale", start, "done", 0)
        return made

    async def _one(self, attempt: Attempt, picture: NDArray[Any]) -> list[Reading]:
        start = time.monotonic()
        picture = attempt.seen(picture)
        outcome: Outcome
        readings: list[Reading] = []
        try:
            readings = _distinct(
                await self._pool.run(
                    attempt.job, picture, attempt.name, deadline=self._deadline, limit=attempt.limit
                )
            )
            outcome = "read" if readings else "nothing"
        except JobTimeoutError:
            outcome = "timeout"
            if attempt.family:
                self._given_up.add(attempt.family)
            # The event loop's timers may be a clock tick early.
            self.timed_out = self.timed_out or time.monotonic() >= self._deadline - 1e-3
        except (JobCrashedError, JobFailedError):
            outcome = "failed"
        self._record(attempt.name, start, outcome, len(readings))
        return readings

    def _record(self, name: str, start: float, outcome: Outcome, symbols: int) -> None:
        self._records.append(AttemptRecord(name, 1e3 * (time.monotonic() - start), outcome, symbols))


def _distinct(readings: Iterable[Reading]) -> list[Reading]:
    """Readings without those of a symbol already there: same payload in the same place."""
    kept: list[Reading] = []
    for reading in readings:
        if not any(
            reading.payload == other.payload and same_place(reading.points, other.points) for other in kept
        ):
            kept.append(reading)
    return kept


def _in_upload(reading: Reading) -> Reading:
    """From pixels of the x4 image to the upload's. Pixel centres are at whole numbers in both."""
    a, b, c, d = (((x + 0.5) / SCALE - 0.5, (y + 0.5) / SCALE - 0.5) for x, y in reading.points)
    return replace(reading, points=(a, b, c, d))
