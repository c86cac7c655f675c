"""The decoder as the service runs it: a pool of processes, the WeChat nets if there are any, the cascade."""

import logging
import time
from dataclasses import replace
from pathlib import Path

from model_store.contract import Image
from model_store.manifest import ManifestError, load_generator, load_third_party
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
from service.decoding.soft import SoftCalibration
from service.decoding.wechat import WeChatFiles
from service.errors import ServiceError
from service.machine import usable_cpus
from service.pipeline import upload_job
from service.pipeline.answers import DecoderState
from service.pipeline.upload_job import Look
from service.settings import MEBI, Settings

WECHAT = "wechat_qr"
_ASK_S = 10.0

_log = logging.getLogger(__name__)


class DecoderProcesses:
    """Implements `service.pipeline.runtime.Decoder`."""

    def __init__(self, settings: Settings, attempts: tuple[Attempt, ...] = ATTEMPTS) -> None:
        """`attempts` begin with zxing-cpp on the upload, which is the first look as well."""
        files = wechat_files(settings.model_store)
        self._pool = DecoderPool(
            upload_job.prepared,
            files,
            calibration_of(settings),
            size=settings.decoders or max(usable_cpus(), 2),
            tasks_per_process=settings.decoder_recycle,
            memory_bytes=settings.decoder_memory_mib * MEBI,
            confined=True,
        )
        self._first = attempts[0].name
        self._cascade = Cascade(self._pool, attempts)
        self._after_look = Cascade(self._pool, attempts[1:])
        self._has_nets = False

    async def start(self) -> None:
        """Start the children and ask one what it has, rather than believe what it was given.

        Raises:
            PoolError: a child did not come up.
        """
        await self._pool.start()
        self._has_nets = await self._pool.run(jobs.has_nets, deadline=time.monotonic() + _ASK_S)

    async def stop(self) -> None:
        """End the children."""
        await self._pool.close()

    def state(self) -> DecoderState:
        """What the children are and have."""
        return DecoderState(
            children=len(self._pool.pids),
            restarts=self._pool.counters.restarts,
            crashes=self._pool.counters.crashes,
            idle_exits=self._pool.counters.idle_exits,
            timeouts=self._pool.counters.timeouts,
            wechat_nets=self._has_nets,
        )

    async def look(self, data: bytes, *, max_pixels: int, deadline: float) -> tuple[Look, DecodeResult]:
        """Decode a small upload in a child and show it to the first reader there.

        Raises:
            ServiceError: as `service.imaging.decode`, `damaged_image` also where two children ended over it;
                `deadline_exceeded`.
        """
        started = time.monotonic()
        try:
            answer = await self._pool.run(
                upload_job.look, data, max_pixels, self._first, deadline=deadline, brief=True
            )
        except JobCrashedError as error:
            raise ServiceError("damaged_image", "decoding the image ended two processes") from error
        except JobTimeoutError as error:
            raise ServiceError(
                "deadline_exceeded", "the image was not decoded within the deadline", reason="deadline"
            ) from error
        look = upload_job.understood(answer)
        reading = 1e3 * (time.monotonic() - started - look.decoding)
        outcome: Outcome = "read" if look.readings else "failed" if look.failed else "nothing"
        records = [AttemptRecord(self._first, reading, outcome, len(look.readings))] if look.decoded else []
        return look, DecodeResult(look.readings, tuple(records), upscaled=False, timed_out=False)

    async def decode(
        self,
        image: Image,
        *,
        upscale: Upscale | None,
        draft: Upscale | None = None,
        deadline: float,
        after: DecodeResult | None = None,
    ) -> DecodeResult:
        """See `Cascade.decode`; `after` a look the attempts go on with the second."""
        if after is None:
            return await self._cascade.decode(image, upscale=upscale, draft=draft, deadline=deadline)
        found = await self._after_look.decode(image, upscale=upscale, draft=draft, deadline=deadline)
        return replace(found, attempts=after.attempts + found.attempts)


def calibration_of(settings: Settings) -> SoftCalibration | None:
    """What the logits of the generator being served are worth; None where its manifest does not say.

    Raises:
        ManifestError: there is no such generator, or it is not whole.
    """
    folder = version_folder(settings.model_store, settings.model, settings.model_version)
    table = load_generator(folder)[0].calibration
    return SoftCalibration(table.logit, table.llr) if table else None


def wechat_files(store: Path) -> WeChatFiles | None:
    """The newest version of the WeChat nets, verified by hash; None, with a warning, where not whole."""
    folder = newest(store, WECHAT)
    if folder is None:
        _log.warning("no WeChat nets in the model store: WeChat works without detector and super-resolution")
        return None
    try:
        load_third_party(folder)
    except ManifestError as error:
        _log.warning(
            "the WeChat nets are not usable: WeChat works without detector and super-resolution",
            extra={"reason": str(error)},
        )
        return None
    return WeChatFiles.in_folder(folder)
