"""The cascade: tries readers in order, on the upload and on its x4 image, until one reads a symbol."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar, TypeVarTuple

import numpy as np
from numpy.typing import NDArray

from model_store.contract import SCALE
from service.decoding import jobs
from service.decoding.channels import legible
from service.decoding.geometry import same_place
from service.decoding.processes.errors import JobCrashedError, JobFailedError, JobTimeoutError
from service.decoding.reading import Kind, Reading
from service.decoding.zxing import QR

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Outcome = Literal["read", "nothing", "done", "timeout", "failed"]
PictureKind = Literal["upload", "colours", "draft", "sr", "logits"]


@dataclass(frozen=True, slots=True)
class Upscaled:
    """The output of the engine for an upload."""

    sr: NDArray[np.uint8]
    """`(4h, 4w)` luma that readers look at."""
    logits: NDArray[np.float16] | NDArray[np.float32] | None = None
    """`(4h, 4w)`, negative where dark; None where the model has none."""
    picture: NDArray[np.uint8] | None = None
    """`(4h, 4w)` luma for people, where it is not what readers look at."""


Upscale = Callable[[NDArray[np.uint8]], Awaitable[Upscaled]]
"""Takes the upload's luma `(h, w) uint8`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reader on one picture."""

    name: str
    job: Callable[..., list[Reading]]
    """Gets the picture and `name`, and the kinds to look for where `kinds` says so, or what is expected of payloads
    where `expects` does; runs in a decoder process."""
    picture: PictureKind = "upload"
    """`sr` and `logits` come from the generator, `draft` is the x4 image by its faster copy; `colours` is the upload
    where it has any."""
    kinds: bool = False
    """Whether the job is told which kinds of symbols to look for; others look for QR Codes alone."""
    expects: bool = False
    """Whether the job is told what is expected of payloads."""
    limit: float = 2.0
    """Seconds it may take in its process, even if the deadline is later."""
    family: str = ""
    """When an attempt exceeds its limit, all later ones of its family are skipped; empty for none."""
    brief: bool = False
    """Whether it is so quick, on up to `BRIEF` pixels, that other jobs may be queued behind it."""
    at_middle_size: bool = True
    """Whether it runs on uploads of more than `SMALL` and at most `LARGE` pixels that are enlarged."""


# Ordered by the crops that each attempt reads, of those that the attempts before it left, for each second of processor
# time: `python -m benchmark attempts` measures that, and docs/benchmark.md has the table. `sr-zxing` stays at its place
# of a run without drafts. WeChat comes last, and on the upload only: it reads photographs that the others do not. On an
# upload of middle size, whose enlarging is expensive, it would take half as long again for hardly any reading. All
# attempts find inverted symbols by themselves.
ATTEMPTS = (
    Attempt("zxing", jobs.zxing, brief=True, kinds=True),
    Attempt("draft-zxing", jobs.zxing, "draft", brief=True, kinds=True),
    Attempt("sr-zxing", jobs.zxing, "sr", brief=True, kinds=True),
    Attempt("soft", jobs.soft, "logits", expects=True, limit=4.0),  # it ends by itself, sooner
    Attempt("wechat", jobs.wechat, family="wechat", at_middle_size=False),
    Attempt("wechat-plain", jobs.wechat_plain, family="wechat", at_middle_size=False),
)

CHANNELS = Attempt("zxing-channels", jobs.zxing_channels, "colours", kinds=True)
"""The last attempt on a picture in colour."""

SMALL = 128 * 128
"""Pixels of an upload up to which every attempt runs."""
LARGE = 256 * 256
"""Pixels of an upload above which enlarging takes longer than all attempts without it together."""
BRIEF = 512 * 512
"""Pixels up to which zxing-cpp takes about ten milliseconds at most, the time for noise."""
LONGEST_SIDE = 32_767
"""Longest side in pixels of a picture that readers are given, the limit of OpenCV's `remap`. An upload with a side of
more than a quarter of it is not enlarged."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """The outcome of an attempt and its time, waiting for a process included."""

    attempt: str
    """Name of the attempt; `upscale` or `draft` for the work of the engine, with the outcome `done` or `timeout`."""
    milliseconds: float
    outcome: Outcome
    symbols: int
    picture: PictureKind | None = None
    """The picture that was read; None for the work of the engine."""


@dataclass(frozen=True, slots=True)
class DecodeResult:
    """The symbols of an upload, and the attempts."""

    readings: tuple[Reading, ...]
    """Points in pixels of the upload."""
    attempts: tuple[AttemptRecord, ...]
    """In the order of time."""
    upscaled: bool
    """Whether a x4 image was made, a draft included."""
    timed_out: bool
    """Whether the deadline passed before all attempts were made."""


class Pool(Protocol):
    """The part of `DecoderPool` that the cascade uses."""

    async def run(
        self,
        job: Callable[[Any, *Ts], T],
        *arguments: *Ts,
        deadline: float,
        limit: float = ...,
        brief: bool = ...,
    ) -> T:
        """Do `job(context, *arguments)` in a process; see `DecoderPool.run`."""
        ...


class Cascade:
    """Tries reader after reader, on an upload and on its x4 image, until one reads something."""

    def __init__(self, pool: Pool, attempts: Iterable[Attempt] = ATTEMPTS) -> None:
        """`attempts` are tried in their order. On a large upload those without enlarging come first; on one of middle
        size some are skipped."""
        self._pool = pool
        self._attempts = tuple(attempts)

    async def decode(
        self,
        image: NDArray[np.uint8],
        *,
        upscale: Upscale | None,
        draft: Upscale | None = None,
        deadline: float,
        observe: Callable[[AttemptRecord], None] = lambda _: None,
        kinds: tuple[Kind, ...] = QR,
        expect: str = "",
    ) -> DecodeResult:
        """Read the symbols in `image`.

        Exceptions of `upscale` and `draft` are passed on. When a reader fails or takes too long, that is recorded and
        the next one is tried.

        Args:
            image: `(h, w)` luma or `(h, w, 3)` RGB, uint8.
            upscale: makes the x4 image; called at most once, when the first attempt needs it. None to do without.
            draft: the same at less cost and less exactly. None to do without.
            deadline: on the clock of `time.monotonic()`, seconds.
            observe: called with the record of each attempt when it has ended.
            kinds: of symbols to look for.
            expect: what the payload may be (see `soft.prior.hints`); empty for nothing.
        """
        run = _Run(self._pool, image, upscale, draft, deadline, observe, kinds, expect)
        attempts = self._order(image.shape[0] * image.shape[1], enlarging=upscale is not None)
        if "qr" not in kinds:
            attempts = [attempt for attempt in attempts if attempt.kinds]
        if image.ndim == 3:
            attempts = [*attempts, CHANNELS]
        readings = await run.first_of(attempts)
        return DecodeResult(tuple(readings), tuple(run.records), run.enlarged, run.timed_out)

    def _order(self, pixels: int, *, enlarging: bool) -> Sequence[Attempt]:
        """The attempts for an upload of so many pixels."""
        if pixels > LARGE:
            return sorted(self._attempts, key=lambda attempt: attempt.picture != "upload")
        if pixels > SMALL and enlarging:
            return [attempt for attempt in self._attempts if attempt.at_middle_size]
        return self._attempts


class _Run:
    """The attempts on one upload, and their records."""

    def __init__(
        self,
        pool: Pool,
        image: NDArray[np.uint8],
        upscale: Upscale | None,
        draft: Upscale | None,
        deadline: float,
        observe: Callable[[AttemptRecord], None],
        kinds: tuple[Kind, ...],
        expect: str,
    ) -> None:
        self._pool, self._luma, self._deadline = pool, legible(image), deadline
        self._observe, self._kinds, self._expect = observe, kinds, expect
        self._colours = image if image.ndim == 3 else None
        self._engines = {"draft": draft, "sr": upscale, "logits": upscale}
        self._given_up: set[str] = set()
        self._made: Upscaled | None = None
        self.records: list[AttemptRecord] = []
        self.enlarged = False
        self.timed_out = False

    async def first_of(self, attempts: Iterable[Attempt]) -> list[Reading]:
        """The readings of the first attempt that has any, in pixels of the upload."""
        for attempt in attempts:
            if attempt.family in self._given_up:
                continue
            if attempt.picture in self._engines and self._engines[attempt.picture] is None:
                continue
            if time.monotonic() >= self._deadline:
                self.timed_out = True
                break
            picture = await self._picture(attempt)
            if self.timed_out:
                break
            if picture is None:
                continue
            readings = await self._one(attempt, picture)
            if readings:
                enlarged = attempt.picture in self._engines
                return [_in_upload(one) for one in readings] if enlarged else readings
        return []

    async def _picture(self, attempt: Attempt) -> NDArray[Any] | None:
        """The picture of an attempt; None where there is none, or it is too long.

        The upload is enlarged when the first attempt needs it. A draft is used once and not kept.
        """
        longest = max(self._luma.shape)
        if (SCALE * longest if attempt.picture in self._engines else longest) > LONGEST_SIDE:
            return None
        if attempt.picture == "upload":
            return self._luma
        if attempt.picture == "colours":
            return self._colours
        if attempt.picture == "draft":
            draft = await self._upscaled("draft", "draft")
            return None if draft is None else draft.sr
        if self._made is None:
            self._made = await self._upscaled("sr", "upscale")
        if self._made is None:
            return None
        return self._made.sr if attempt.picture == "sr" else self._made.logits

    async def _upscaled(self, picture: str, name: str) -> Upscaled | None:
        """Run the engine and record it under `name`. None where the deadline passed meanwhile."""
        upscale = self._engines[picture]
        assert upscale is not None  # noqa: S101 - for the type checker; see `first_of`
        start = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline - start) as ours:
                made = await upscale(self._luma)
        except TimeoutError:
            if not ours.expired():
                raise
            self.timed_out = True
            self._record(name, start, "timeout", 0)
            return None
        self._record(name, start, "done", 0)
        self.enlarged = True
        return made

    async def _one(self, attempt: Attempt, picture: NDArray[Any]) -> list[Reading]:
        start = time.monotonic()
        outcome: Outcome
        readings: list[Reading] = []
        try:
            readings = _distinct(
                await self._pool.run(
                    attempt.job,
                    picture,
                    attempt.name,
                    *self._told(attempt),
                    deadline=self._deadline,
                    limit=attempt.limit,
                    brief=attempt.brief and picture.size <= BRIEF,
                )
            )
            outcome = "read" if readings else "nothing"
        except JobTimeoutError:
            outcome = "timeout"
            if attempt.family:
                self._given_up.add(attempt.family)
            # Timers of the event loop may be early by a tick of the clock.
            self.timed_out = self.timed_out or time.monotonic() >= self._deadline - 1e-3
        except JobFailedError as error:
            outcome = "timeout" if str(error) == jobs.ReaderTimeoutError.__name__ else "failed"
        except JobCrashedError:
            outcome = "failed"
        self._record(attempt.name, start, outcome, len(readings), attempt.picture)
        return readings

    def _told(self, attempt: Attempt) -> tuple[Any, ...]:
        """What the job of an attempt gets beside picture and name."""
        if attempt.kinds:
            return (self._kinds,)
        return (self._expect,) if attempt.expects and self._expect else ()

    def _record(
        self, name: str, start: float, outcome: Outcome, symbols: int, picture: PictureKind | None = None
    ) -> None:
        milliseconds = 1e3 * (time.monotonic() - start)
        self.records.append(AttemptRecord(name, milliseconds, outcome, symbols, picture))
        self._observe(self.records[-1])


def _distinct(readings: Iterable[Reading]) -> list[Reading]:
    """Readings without repetitions, that is, the same payload in the same place."""
    kept: list[Reading] = []
    for reading in readings:
        if not any(
            reading.payload == other.payload and same_place(reading.points, other.points) for other in kept
        ):
            kept.append(reading)
    return kept


def _in_upload(reading: Reading) -> Reading:
    """Convert points from the x4 image to the upload. Pixel centres are at whole numbers in both."""
    a, b, c, d = (((x + 0.5) / SCALE - 0.5, (y + 0.5) / SCALE - 0.5) for x, y in reading.points)
    return replace(reading, points=(a, b, c, d))
