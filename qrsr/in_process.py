"""Reading and enlarging in the caller's process: the service's pipeline, on an event loop in a thread of its own."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from service import files
from service.client.answers import Symbol, decoded
from service.errors import ServiceError
from service.files import FileError
from service.pipeline.answers import UpscaleQuery
from service.pipeline.first_use import fetch_nets
from service.pipeline.read_and_enlarge import enlarge
from service.pipeline.read_and_enlarge import read as read_upload
from service.pipeline.runtime import Services, Task, opened
from service.settings import Settings

T = TypeVar("T")
Pixels = npt.NDArray[np.uint8]
"""`(H, W)` grey, `(H, W, 3)` RGB or `(H, W, 4)` RGBA, 0 to 255."""
ImageSource = str | os.PathLike[str] | bytes | Pixels
"""The path of an image file, the bytes of one, or its pixels."""


class ImageError(ValueError):
    """An image that cannot be read or enlarged; `code` is one of the service's problem codes, or of `FileError`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Reader:
    """The generator and the readers, started once and used by any number of threads; use it as a context manager.

    It works within the limits that the service has for an upload, set by the same `QRSR_...` variables.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Load the generator and start the reader processes; this takes a second or two.

        Raises:
            ManifestError, EngineError, PoolError: what is needed is missing or does not come up.
        """
        self._settings = settings or Settings()
        fetch_nets(self._settings, lambda line: print(line, file=sys.stderr))
        self._loop = asyncio.new_event_loop()
        self._services: Future[Services] = Future()
        self._leave = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="qrsr", daemon=True)
        self._thread.start()
        self._services.result()

    def read(self, image: ImageSource) -> list[Symbol]:
        """The symbols in an image; an empty list where nothing was read.

        Raises:
            ImageError: it is no image, too large, or took longer than `QRSR_DEADLINE_S`.
        """
        answer = self._work(image, read_upload)
        return list(decoded(answer.model_dump(mode="json")).symbols)

    def upscale(self, image: ImageSource) -> Pixels:
        """The image exactly four times as high and wide: `(4H, 4W[, 3 or 4]) uint8`, colour as RGB or RGBA.

        Raises:
            ImageError: as `read`.
        """

        async def png(task: Task) -> bytes:
            return (await enlarge(task, UpscaleQuery(format="png"))).data

        return _pixels(self._work(image, png))

    def close(self) -> None:
        """End the reader processes. Nothing can be read afterwards."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._leave.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self, image: ImageSource, work: Callable[[Task], Coroutine[Any, Any, T]]) -> T:
        services = self._services.result()
        try:
            task = Task.of(services, _upload(image, max_bytes=self._settings.max_body_bytes))
            return asyncio.run_coroutine_threadsafe(work(task), self._loop).result()
        except (FileError, ServiceError) as error:
            raise ImageError(error.code, error.detail) from error

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            async with opened(self._settings) as services:
                self._services.set_result(services)
                await self._leave.wait()
        except BaseException as error:
            if self._services.done():
                raise
            self._services.set_exception(error)


def read(image: ImageSource) -> list[Symbol]:
    """`Reader.read` of one `Reader` that is started by the first call and ends with the process."""
    return _shared().read(image)


def upscale(image: ImageSource) -> Pixels:
    """`Reader.upscale` of the same."""
    return _shared().upscale(image)


_lock = threading.Lock()
_readers: list[Reader] = []


def _shared() -> Reader:
    with _lock:
        if not _readers:
            # Never closed: its threads end with this process, and its children when their channels close. At exit no
            # thread can be started any more, and closing would need one.
            _readers.append(Reader())
        return _readers[0]


def _upload(image: ImageSource, *, max_bytes: int) -> bytes:
    """The bytes that would be uploaded. Pixels become a BMP, or with alpha a PNG: neither loses anything."""
    if isinstance(image, bytes):
        return files.checked(image, max_bytes=max_bytes)
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,), (4,)):
            raise TypeError(
                f"pixels are (H, W), (H, W, 3) or (H, W, 4) uint8, not {image.shape} {image.dtype}"
            )
        if not image.size:
            raise ImageError("image_too_small", f"{image.shape}: there are no pixels")
        suffix, colour = {
            2: (".bmp", None),
            3: (".bmp", cv2.COLOR_RGB2BGR),
            4: (".png", cv2.COLOR_RGBA2BGRA),
        }[image.shape[2] if image.ndim == 3 else 2]
        return cv2.imencode(suffix, image if colour is None else cv2.cvtColor(image, colour))[1].tobytes()
    return files.load(str(Path(image)), max_bytes=max_bytes)


def _pixels(png: bytes) -> Pixels:
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise RuntimeError("the enlarged image cannot be decoded")
    if found.ndim == 3:
        found = cv2.cvtColor(found, cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return np.asarray(found, np.uint8)
