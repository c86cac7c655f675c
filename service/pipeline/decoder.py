"""The decoder of the service: a pool of processes, the WeChat nets if they are installed, and the cascade."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from model_store.contract import Image
from model_store.manifest import ManifestError, load_generator
from model_store.user_cache import located
from model_store.versions import newest, version_folder
from service.decoding import jobs
from service.decoding.cascade import (
    ATTEMPTS,
    Attempt,
    AttemptRecord,
    Cascade,
    DecodeResult,
    Outcome,
    Upscale,
)
from service.decoding.processes.errors import JobCrashedError, JobTimeoutError
from service.decoding.processes.pool import DecoderPool
from service.decoding.reading import Kind
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles
from service.decoding.zxing import QR
from service.errors import ServiceError
from service.machine import usable_cpus
from service.pipeline import upload_jobs
from service.pipeline.answers import DecoderState
from service.pipeline.upload_jobs import Opened
from service.settings import MEBI, Settings

WECHAT = "wechat_qr"
_ASK_S = 10.0

_log = logging.getLogger(__name__)


class DecoderProcesses:
    """Implements `service.pipeline.runtime.Decoder`."""

    def __init__(self, settings: Settings, attempts: tuple[Attempt, ...] = ATTEMPTS) -> None:
        """The first of `attempts` must be zxing-cpp on the upload, which `read_small` runs too."""
        files = wechat_files(settings.store)
        self._pool = DecoderPool(
            upload_jobs.prepared,
            files,
            calibration_of(settings),
            settings.payload_prior == "on",
            size=settings.decoders or max(usable_cpus(), 2),
            tasks_per_process=settings.decoder_recycle,
            memory_bytes=settings.decoder_memory_mib * MEBI,
            confined=True,
        )
        self._first = attempts[0].name
        self._cascade = Cascade(self._pool, attempts)
        self._after_first = Cascade(self._pool, attempts[1:])
        self._has_nets = False

    async def start(self) -> None:
        """Start the processes, and ask one whether it has loaded the WeChat nets.

        Raises:
            PoolError: a process did not start.
        """
        await self._pool.start()
        self._has_nets = await self._pool.run(jobs.has_nets, deadline=time.monotonic() + _ASK_S)

    async def stop(self) -> None:
        """End the processes."""
        await self._pool.close()

    def state(self) -> DecoderState:
        """State of the processes."""
        return DecoderState(
            children=len(self._pool.pids),
            restarts=self._pool.counters.restarts,
            crashes=self._pool.counters.crashes,
            idle_exits=self._pool.counters.idle_exits,
            timeouts=self._pool.counters.timeouts,
            wechat_nets=self._has_nets,
        )

    async def open(
        self, data: bytes, *, max_pixels: int, at_once: int, deadline: float, grey: bool = False
    ) -> Opened:
        """Decode an upload in a process.

        Args:
            max_pixels: larger images are refused.
            at_once: images with more pixels are not decoded; only their size is returned.
            deadline: on the clock of `time.monotonic()`.
            grey: whether the luma is wanted, instead of colours and alpha.

        Raises:
            ServiceError: as `service.imaging.decode`; `damaged_image` also where two processes crashed over it;
                `deadline_exceeded`.
        """
        brief = len(data) <= upload_jobs.BRIEF_BYTES and at_once <= upload_jobs.SMALL_PIXELS
        job = self._pool.run(
            upload_jobs.open_upload, data, max_pixels, at_once, grey, deadline=deadline, brief=brief
        )
        return await self._opened(job)

    async def read_small(
        self, data: bytes, *, max_pixels: int, deadline: float, kinds: tuple[Kind, ...] = QR
    ) -> tuple[Opened, DecodeResult]:
        """Decode a small image and run the first reader on it, in one job; of a larger image only return the size.

        Raises:
            ServiceError: as `open`.
        """
        started = time.monotonic()
        brief = len(data) <= upload_jobs.BRIEF_BYTES
        job = self._pool.run(
            upload_jobs.read_upload, data, max_pixels, self._first, kinds, deadline=deadline, brief=brief
        )
        opened = await self._opened(job)
        records: tuple[AttemptRecord, ...] = ()
        if opened.picture is not None or opened.readings:
            milliseconds = 1e3 * max(time.monotonic() - started - opened.seconds, 0.0)
            outcome: Outcome = "read" if opened.readings else "failed" if opened.failed else "nothing"
            records = (
                AttemptRecord(self._first, milliseconds, outcome, len(opened.readings), picture="upload"),
            )
        return opened, DecodeResult(opened.readings, records, upscaled=False, timed_out=False)

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
        """See `Cascade.decode`. With `after`, the result of `read_small`, the attempts continue with the second one."""
        cascade = self._cascade if after is None else self._after_first
        found = await cascade.decode(
            image,
            upscale=upscale,
            draft=draft,
            deadline=deadline,
            observe=observe,
            kinds=kinds,
            expect=expect,
        )
        return found if after is None else replace(found, attempts=after.attempts + found.attempts)

    @staticmethod
    async def _opened(job: Awaitable[upload_jobs.Answer]) -> Opened:
        try:
            return upload_jobs.understood(await job)
        except JobCrashedError as error:
            raise ServiceError("damaged_image", "decoding the image ended two processes") from error
        except JobTimeoutError as error:
            raise ServiceError(
                "deadline_exceeded", "the image was not decoded within the deadline", reason="deadline"
            ) from error


def calibration_of(settings: Settings) -> SoftCalibration | None:
    """Calibration of the logits of the generator in use; None where its manifest has none.

    Raises:
        ManifestError: the generator is missing or incomplete.
    """
    folder = version_folder(settings.store, settings.model, settings.model_version)
    table = load_generator(folder)[0].calibration
    return SoftCalibration(table.logit, table.llr) if table else None


def wechat_files(store: Path) -> WeChatFiles | None:
    """The newest version of the WeChat nets, verified by hash; None, with a warning, where they are incomplete."""
    folder = newest(store, WECHAT)
    if folder is None:
        _log.warning("no WeChat nets in the model store: WeChat works without detector and super-resolution")
        return None
    try:
        return WeChatFiles.in_folder(located(folder))
    except ManifestError as error:
        _log.warning(
            "the WeChat nets are not usable: WeChat works without detector and super-resolution",
            extra={"reason": str(error)},
        )
        return None
