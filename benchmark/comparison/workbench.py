"""The context of a worker process of the benchmark, which takes an item through its arms."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.arms import NONE, Arm, Image, Item, Shot, Taken, fingerprint
from benchmark.comparison.candidates import CANDIDATES
from benchmark.comparison.readers import DECODE, SOFT, build_reader, wechat_files
from benchmark.comparison.upscalers import DRAFT, OURS, UpscalerSpec, build_upscaler, draft_of, generator_file
from scoring.generator import Enlarged, Upscale
from scoring.outcomes import BOTH, ERROR, MISREAD, NOTHING, judge
from service.decoding.cascade import Cascade, Upscaled
from service.decoding.cascade import Upscale as Engine
from service.decoding.jobs import Readers, soft
from service.decoding.reading import Reading
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatReader
from service.settings import Settings

T = TypeVar("T")
R = TypeVar("R")
Picture = TypeVar("Picture", bound=NDArray[Any])
Ts = TypeVarTuple("Ts")
Logits = NDArray[np.float16] | NDArray[np.float32]

DEADLINE_S = 20.0
"""Deadline of the cascade, as in the service."""
MOST_ENLARGED = int(Settings.model_fields["max_upscale_pixels"].default)
"""Pixels of the largest picture that the service enlarges."""

ATTEMPT = "attempt:"
"""Prefix of a single attempt of the cascade that is tried as a reader of its own; its time does not include
enlarging."""
ENLARGING = "enlarging"
"""The reader of an arm that only enlarges, to measure its time."""
_ATTEMPTS = {attempt.name: attempt for attempt in CANDIDATES}


@dataclass(frozen=True, slots=True)
class Setup:
    """The setup of workers; small and picklable."""

    readers: tuple[str, ...]
    upscalers: tuple[UpscalerSpec, ...]
    wechat: Path
    """Folder of WeChat's nets."""
    shares: bool = False
    """Whether arms of an item share enlarging and the soft reader's work if both do the same; the times of shots then
    mean nothing."""

    @property
    def drafts(self) -> list[UpscalerSpec]:
        """The drafts for the cascade, if there are any and the cascade is in use."""
        if DECODE not in self.readers:
            return []
        return [draft for spec in self.upscalers if (draft := draft_of(spec)) is not None]


class Workbench:
    """Readers and upscalers, each built once, on one core."""

    def __init__(self, setup: Setup) -> None:
        """Build everything.

        Raises:
            ReaderUnavailableError: a reader is missing.
            UpscalerError: a model is missing or of an unknown kind.
        """
        cv2.setNumThreads(1)
        self._upscalers: dict[str, Upscale] = {spec.name: build_upscaler(spec) for spec in setup.upscalers}
        if setup.shares:
            self._upscalers = {name: _remembering(upscale) for name, upscale in self._upscalers.items()}
        self._readers = {
            name: build_reader(name, setup.wechat) for name in setup.readers if name not in (SOFT, DECODE)
        }
        self._upscalers |= {draft.name: build_upscaler(draft) for draft in setup.drafts}
        ours = any(name in (SOFT, DECODE) for name in setup.readers)
        self.wechat = WeChatReader(wechat_files(setup.wechat))
        """For locating symbols."""
        self._service = Readers(wechat_files(setup.wechat), _calibration(setup)) if ours else None
        self._soft = _remembering(self._soft_readings) if setup.shares else self._soft_readings
        self._cascade = Cascade(_HerePool(self._service, self._soft))

    def take(self, item: Item) -> Taken:
        """Draw the item and try its arms, one after the other; each upscaler enlarges each picture once."""
        pictures, truth = item.draw()
        enlarged: dict[tuple[str, str], tuple[Enlarged, float]] = {}
        shots = []
        for arm in item.arms:
            key = (arm.picture, arm.upscaler)
            if key not in enlarged:
                enlarged[key] = self._enlarge(pictures[arm.picture], arm.upscaler)
            shots.append(self._shoot(arm, *enlarged[key], truth))
        return Taken(tuple(shots), fingerprint(pictures))

    def _enlarge(self, image: Image, upscaler: str) -> tuple[Enlarged, float]:
        if upscaler == NONE:
            return Enlarged(image), 0.0
        start = time.process_time()
        result = self._upscalers[upscaler](image)
        return result, 1e3 * (time.process_time() - start)

    def _shoot(self, arm: Arm, enlarged: Enlarged, before: float, truth: tuple[bytes, ...]) -> Shot:
        if arm.reader == ENLARGING:
            return Shot(NOTHING, before)
        if arm.reader.startswith(ATTEMPT):
            before = 0.0
        start = time.process_time()
        try:
            payloads = self._read(arm.reader, enlarged)
        except (cv2.error, ValueError, UnicodeError):
            # OpenCV's own readers raise on some pictures; this counts as an outcome.
            return Shot(ERROR, before + 1e3 * (time.process_time() - start))
        milliseconds = before + 1e3 * (time.process_time() - start)
        outcome = judge(payloads, truth)
        if outcome not in (MISREAD, BOTH):
            return Shot(outcome, milliseconds)
        wrong = tuple(sorted({payload for payload in payloads if payload not in truth}))
        return Shot(outcome, milliseconds, wrong, cv2.imencode(".png", enlarged.sr)[1].tobytes())

    def _read(self, reader: str, enlarged: Enlarged) -> list[bytes]:
        if reader == DECODE:
            return self._decode(enlarged.sr)
        if reader.startswith(ATTEMPT):
            return self._attempt(reader.removeprefix(ATTEMPT), enlarged)
        if reader != SOFT:
            return self._readers[reader](enlarged.sr)
        return self.soft(enlarged)

    def soft(self, enlarged: Enlarged) -> list[bytes]:
        """Payloads that the soft-decision reader finds.

        Raises:
            ValueError: there are no logits, or the reader was not built.
        """
        if enlarged.logits is None or self._service is None:
            raise ValueError("this upscaler gives no logits")
        return [reading.payload for reading in self._soft(enlarged.logits)]

    def _soft_readings(self, logits: Logits) -> list[Reading]:
        assert self._service is not None
        return soft(self._service, logits, SOFT)

    def _attempt(self, name: str, enlarged: Enlarged) -> list[bytes]:
        attempt = _ATTEMPTS[name]
        picture = enlarged.logits if attempt.picture == "logits" else enlarged.sr
        if picture is None or self._service is None:
            raise ValueError("this upscaler gives no logits, or the cascade is not in use")
        return [reading.payload for reading in attempt.job(self._service, picture, name)]

    def _decode(self, image: Image) -> list[bytes]:
        # As in the service, larger pictures are read but not enlarged.
        enlarged = image.size <= MOST_ENLARGED
        upscale, draft = (self._engine(name) if enlarged else None for name in (OURS, DRAFT))
        deadline = time.monotonic() + DEADLINE_S
        result = asyncio.run(self._cascade.decode(image, upscale=upscale, draft=draft, deadline=deadline))
        return [reading.payload for reading in result.readings]

    def _engine(self, name: str) -> Engine | None:
        """An upscaler as the cascade calls it, or None."""
        upscale = self._upscalers.get(name)
        if upscale is None:
            return None

        async def engine(luma: NDArray[np.uint8]) -> Upscaled:
            made = upscale(luma)
            return Upscaled(made.sr, made.logits)

        return engine


class _HerePool:
    """Replaces the service's pool of decoder processes: it does each job here, because a worker is such a process."""

    def __init__(self, readers: Readers | None, soft_readings: Callable[[Logits], list[Reading]]) -> None:
        self._readers = readers
        self._soft = soft_readings

    async def run(
        self,
        job: Callable[[Any, *Ts], T],
        *arguments: *Ts,
        deadline: float,
        limit: float = math.inf,
        brief: bool = False,
    ) -> T:
        """See `service.decoding.cascade.Pool`; the farm limits the time."""
        del deadline, limit, brief
        asked: tuple[Any, ...] = (job, *arguments)
        if asked[0] is soft:
            return cast("T", self._soft(asked[1]))
        return job(self._readers, *arguments)


def _remembering(function: Callable[[Picture], R]) -> Callable[[Picture], R]:
    """The function, which remembers its last result."""
    last: list[tuple[Picture, R]] = []

    def remembered(picture: Picture) -> R:
        if not last or not np.array_equal(last[0][0], picture):
            last[:] = [(picture, function(picture))]
        return last[0][1]

    return remembered


def _calibration(setup: Setup) -> SoftCalibration | None:
    for spec in setup.upscalers:
        if spec.kind == "generator" and spec.path is not None:
            table = generator_file(spec.path).calibration
            return SoftCalibration(table.logit, table.llr) if table else None
    return None


def build(setup: Setup) -> Workbench:
    """The context of a worker process, in which deadlines count processor time.

    Otherwise readers with a deadline would read fewer symbols on a busy machine, and different ones in every run.
    """
    vars(time)["monotonic"] = time.process_time
    return Workbench(setup)


def take(bench: Workbench, item: Item) -> Taken:
    """The job of a worker process."""
    return bench.take(item)
