"""The endless stream of batches: workers make chunks ahead, and batches are drawn from a pool of chunks."""

import sys
from collections import deque
from collections.abc import Iterator
from multiprocessing.process import BaseProcess, parent_process
from pathlib import Path
from queue import Empty, Full
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch import multiprocessing as mp
from tqdm import tqdm

from training.config import TrainingConfig
from training.data.folder import FolderSource, Listing, scan
from training.data.samples import Materials, Samples, SampleSource
from training.data.symbols import build_bank
from training.teacher import Teacher

_AHEAD = 4
"""Chunks that a worker keeps ready."""


class Source(Protocol):
    """Makes samples; the same number always gives the same samples."""

    def chunk(self, number: int, count: int | None = None) -> Samples:
        """Chunk `number` of `count` samples; None means as configured."""
        ...


def steps_per_chunk(config: TrainingConfig, world: int = 1) -> int:
    """Optimiser steps between two fresh chunks of one of `world` processes."""
    return config.data.chunk * config.data.replay * world // config.optimiser.batch


def batches(
    config: TrainingConfig,
    start: int,
    device: torch.device,
    cache: Path | None = None,
    *,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Samples]:
    """Batches from step `start` on, on `device`; batch k is the same wherever the stream started.

    From `pool` chunks, `replay * chunk` samples are drawn, turned and mirrored at random; then the next chunk replaces
    the oldest. If `world` processes train together, each makes its share `optimiser.batch / world` of a batch from
    chunks of its own, by its `rank`.

    Raises:
        FolderError: the configured folder cannot be used.
    """
    per_chunk = steps_per_chunk(config, world)
    arrival = start // per_chunk
    skip = start % per_chunk
    listing = scan(config.data) if config.data.folder else None
    if listing and rank == 0:
        tqdm.write(listing.report(), file=sys.stderr)
    chunks = _chunks(config, listing, range(arrival * world + rank, sys.maxsize, world), device, cache)
    pool = deque((next(chunks) for _ in range(config.data.pool)), maxlen=config.data.pool)
    own = [rank] if world > 1 else []
    while True:
        rng = np.random.default_rng([config.run.seed, 0xBA, arrival, *own])
        drawn = rng.permutation(config.data.pool * config.data.chunk)[
            : config.data.replay * config.data.chunk
        ]
        orientations = rng.integers(0, 8, per_chunk)
        for k, (rows, orientation) in enumerate(zip(drawn.reshape(per_chunk, -1), orientations, strict=True)):
            if k >= skip:
                yield orient(_gather(pool, rows, config.data.chunk), int(orientation))
        skip = 0
        arrival += 1
        pool.append(next(chunks))


def _gather(pool: deque[Samples], rows: np.ndarray[tuple[int], np.dtype[np.int64]], chunk: int) -> Samples:
    return Samples.concatenate(
        [pool[row // chunk].select(torch.tensor([row % chunk])) for row in rows.tolist()]
    )


def orient(samples: Samples, orientation: int) -> Samples:
    """Samples in one of the eight orientations of the square: quarter turns, and from 4 on a mirror image.

    Images and geometry change together. The 8x8 grid of a compressed crop stays aligned, because the size of the crop
    is a multiple of 8.
    """
    turns, mirrored = orientation % 4, orientation >= 4

    def turned(image: Tensor) -> Tensor:
        image = torch.rot90(image, turns, (2, 3))
        return image.flip(3) if mirrored else image

    side = float(samples.target.shape[-1])
    # New pixel coordinates to old ones: undo the mirror, then the counter-clockwise quarter turns.
    undo = np.array([[-1, 0, side], [0, 1, 0], [0, 0, 1]]) if mirrored else np.eye(3)
    quarter = np.array([[0, -1, side], [1, 0, 0], [0, 0, 1]])
    back = torch.from_numpy(np.linalg.matrix_power(quarter, turns) @ undo).to(samples.pixel_to_module)
    return Samples(
        lr=turned(samples.lr),
        target=turned(samples.target),
        aim=turned(samples.aim),
        picture=turned(samples.picture),
        weight=turned(samples.weight),
        modules=samples.modules,
        version=samples.version,
        pixel_to_module=samples.pixel_to_module @ back,
        bend=samples.bend,
    )


def _chunks(
    config: TrainingConfig,
    listing: Listing | None,
    numbers: range,
    device: torch.device,
    cache: Path | None,
) -> Iterator[Samples]:
    """The chunks of these numbers, in order."""
    if config.data.workers == 0:
        source = _source(config, listing, device, cache)
        for number in numbers:
            yield source.chunk(number)
    yield from _worked_chunks(config, listing, numbers, device, cache)


def _source(
    config: TrainingConfig, listing: Listing | None, device: torch.device, cache: Path | None
) -> Source:
    if listing:
        return FolderSource(config.data, listing, device)
    materials = Materials.make(config.data, device, cache)
    teacher = Teacher(config.data.teacher, device).probabilities if config.data.teacher else None
    return SampleSource(config.data, config.loss, materials, device, teacher)


def _worked_chunks(
    config: TrainingConfig,
    listing: Listing | None,
    numbers: range,
    device: torch.device,
    cache: Path | None,
) -> Iterator[Samples]:
    if not listing:
        # Build it once here, so that the workers find it in the cache instead of all building it.
        build_bank(config.data.symbols, config.data.seed, cache)
    context = mp.get_context("spawn")
    workers = config.data.workers
    queues = [context.Queue(_AHEAD) for _ in range(workers)]
    processes = [
        context.Process(
            target=_work, args=(config, listing, numbers[w::workers], cache, queues[w]), daemon=True
        )
        for w in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        number = 0
        while True:
            # Worker w makes every chunk whose position modulo the number of workers is w, so the order is independent
            # of timing.
            samples = _received(queues[number % workers], processes[number % workers])
            yield Samples(*(getattr(samples, name).to(device) for name in Samples.__dataclass_fields__))
            number += 1
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _received(queue: "mp.Queue[Samples]", process: BaseProcess) -> Samples:
    while True:
        try:
            return queue.get(timeout=10)
        except Empty:
            if not process.is_alive():
                raise RuntimeError(f"a data worker ended with code {process.exitcode}") from None


def _work(
    config: TrainingConfig,
    listing: Listing | None,
    numbers: range,
    cache: Path | None,
    queue: "mp.Queue[Samples]",
) -> None:
    torch.set_num_threads(1)
    source = _source(config, listing, torch.device("cpu"), cache)
    for number in numbers:
        if not _put(queue, source.chunk(number)):
            return


def _put(queue: "mp.Queue[Samples]", samples: Samples) -> bool:
    """Whether the chunk was put; False if the trainer has ended, for example by an unhandled signal."""
    trainer = parent_process()
    while trainer is not None and trainer.is_alive():
        try:
            queue.put(samples, timeout=5)
        except Full:
            continue
        return True
    return False
