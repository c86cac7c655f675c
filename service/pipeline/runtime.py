"""The objects that process uploads: built at the start, closed at the end.

It does not depend on HTTP: `opened` is also used to read and enlarge without a server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, Protocol, Self, TypeVar

from model_store.contract import SCALE, Image
from service.decoding.cascade import AttemptRecord, DecodeResult, Upscale
from service.decoding.reading import Kind
from service.decoding.zxing import QR
from service.generator.engine import CUDA, OnnxEngine, UpscaleEngine
from service.generator.queue import EngineThreads, Ladder
from service.generator.store import build_engine
from service.generator.upscaler import Upscaler
from service.machine import concurrency, give_way, usable_cpus
from service.pipeline.admission import Budget
from service.pipeline.answers import DecoderState
from service.pipeline.decoder import DecoderProcesses
from service.pipeline.metrics import Metrics, Stages
from service.pipeline.upload_jobs import Opened
from service.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

CUDA_PLACES = 64
"""Requests processed at the same time on a GPU, which runs them in batches."""


class Decoder(Protocol):
    """Decodes images and reads symbols in other processes."""

    async def start(self) -> None:
        """Start the processes and wait until they are ready."""
        ...

    async def stop(self) -> None: ...

    def state(self) -> DecoderState: ...

    async def open(
        self, data: bytes, *, max_pixels: int, at_once: int, deadline: float, grey: bool = False
    ) -> Opened:
        """Decode an upload."""
        ...

    async def read_small(
        self, data: bytes, *, max_pixels: int, deadline: float, kinds: tuple[Kind, ...] = QR
    ) -> tuple[Opened, DecodeResult]:
        """Decode a small image and run the first reader on it. The result covers that reader only."""
        ...

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
        """Read an image. `after` is the result of `read_small`, whose attempt is not repeated."""
        ...


EngineFactory = Callable[[Settings], UpscaleEngine]
DecoderFactory = Callable[[Settings], Decoder]


@dataclass(frozen=True, slots=True)
class Services:
    """The objects that the pipeline uses."""

    settings: Settings
    metrics: Metrics
    executor: ThreadPoolExecutor
    """Encodes images and joins tiles; one thread more than usable CPUs."""
    engine: EngineThreads
    upscaler: Upscaler
    decoder: Decoder
    turns: Budget
    """Each request in progress holds one."""
    pixels: Budget
    """Each request in progress holds as many as `Task.room` says for its image."""

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a slow function in a thread of the executor."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.executor, call)


@dataclass(frozen=True, slots=True)
class Task:
    """One upload to be processed."""

    data: bytes
    """The upload."""
    deadline: float
    """On the clock of `time.monotonic()`."""
    services: Services
    stages: Stages

    @classmethod
    def of(cls, services: Services, data: bytes, stages: Stages | None = None) -> Self:
        """A task whose deadline counts from now; without `stages` it gets new ones."""
        deadline = time.monotonic() + services.settings.deadline_s
        return cls(data, deadline, services, stages or Stages(services.metrics))

    def room(self, pixels: int) -> int:
        """Room for an image of so many pixels: one unit for each, and `SCALE`² more where it may be enlarged."""
        return pixels * (1 + SCALE**2 if pixels <= self.services.settings.max_upscale_pixels else 1)

    def turn(self) -> "Turn":
        """A turn, held during the block."""
        return Turn(self.services, self.stages)


class Turn(AbstractAsyncContextManager["Turn"]):
    """Holds a turn during the block and, after `make_room`, room for an image."""

    def __init__(self, services: Services, stages: Stages) -> None:
        self._services, self._stages = services, stages
        self._turns = self._room = 0

    async def __aenter__(self) -> Self:
        with self._stages("wait"):
            await self._services.turns.take(1)
        self._turns = 1
        return self

    async def make_room(self, pixels: int) -> None:
        """Hold room for so many pixels as well; called once.

        If the room is not free, the turn is given back while waiting, so that small images can go ahead.
        """
        if self._services.pixels.take_now(pixels):
            self._room = pixels
            return
        self._give_turn()
        with self._stages("wait"):
            await self._services.pixels.take(pixels)
            self._room = pixels
            await self._services.turns.take(1)
        self._turns = 1

    async def __aexit__(self, *_: object) -> None:
        self._give_turn()
        if self._room:
            self._services.pixels.give(self._room)

    def _give_turn(self) -> None:
        if self._turns:
            self._turns = 0
            self._services.turns.give(1)


def ladder(settings: Settings, provider: str) -> Ladder:
    """The shapes that the engine runs: on CUDA batches of squares, in powers of two; on a CPU single tiles.

    CUDA searches algorithms and extends its arena for every new shape, so it gets few. A CPU has no such cost, and
    batches do not make it faster (docs/performance.md).
    """
    if provider != CUDA:
        return Ladder()
    sizes = [1]
    while 2 * sizes[-1] <= settings.max_batch:
        sizes.append(2 * sizes[-1])
    sides = [side for side in (64, 96, 128, 192, 256, 384, 512) if side < settings.tile]
    return Ladder(tuple(sizes), (*sides, settings.tile), settings.batch_pixels)


@asynccontextmanager
async def opened(
    settings: Settings,
    metrics: Metrics | None = None,
    *,
    engine: EngineFactory = build_engine,
    decoder: DecoderFactory = DecoderProcesses,
    on_lost: Callable[[], None] = lambda: None,
) -> AsyncIterator[Services]:
    """Load the model and start the decoder processes; both end after the block.

    Args:
        engine, decoder: build the engine and the decoder; tests pass stubs.
        on_lost: called in an engine thread after the engine has failed permanently.

    Raises:
        ManifestError, EngineError, PoolError: something is missing or does not start.
    """
    metrics = metrics or Metrics()
    cpus = usable_cpus()
    async with AsyncExitStack() as stack:
        executor = ThreadPoolExecutor(cpus + 1, thread_name_prefix="images", initializer=give_way)
        stack.callback(executor.shutdown)
        readers = decoder(settings)
        stack.push_async_callback(readers.stop)
        loop = asyncio.get_running_loop()
        # The processes start while the model loads: both take about as long.
        starting = asyncio.create_task(readers.start())
        try:
            built = await loop.run_in_executor(executor, engine, settings)
        finally:
            await asyncio.wait({starting})
        starting.result()
        places = settings.concurrency or (CUDA_PLACES if built.provider == CUDA else concurrency(cpus))
        shapes = ladder(settings, built.provider)
        lanes = 1 if built.provider == CUDA else settings.lanes or cpus
        if isinstance(built, OnnxEngine):
            await loop.run_in_executor(executor, built.warm_up, shapes.shapes())
            if lanes > 1:
                filling = (loop.run_in_executor(executor, built.fill_arena) for _ in range(lanes))
                await asyncio.gather(*filling)
        threads = EngineThreads(
            built,
            capacity=places + settings.queue,
            watcher=metrics,
            ladder=shapes,
            lanes=lanes,
            on_lost=on_lost,
        )
        threads.start()
        metrics.count_decoder_events(readers.state)
        stack.callback(threads.stop)
        yield Services(
            settings=settings,
            metrics=metrics,
            executor=executor,
            engine=threads,
            upscaler=Upscaler(threads, executor, tile=settings.tile),
            decoder=readers,
            turns=Budget(places),
            pixels=Budget(settings.pixel_budget),
        )
