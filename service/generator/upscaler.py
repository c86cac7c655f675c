"""Enlarges a plane of any size: pads it, cuts it into tiles, runs them, joins the outputs, crops."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

import numpy as np
import numpy.typing as npt

from model_store.contract import SCALE, Image, Tensor, pad_to_multiple, quantise, symbol_picture, to_tensor
from service.decoding.cascade import Upscaled
from service.decoding.half_precision import to_half
from service.generator.engine import EngineOutput
from service.generator.queue import EngineThreads
from service.generator.tiling import Tile, plan

_PUT_AT_ONCE = 64 * 64
"""Pixels of a tile up to which its output is copied on the event loop, which is quicker than using another thread."""


class Upscaler:
    """Upscales planes; holds no state between them."""

    def __init__(self, engine: EngineThreads, executor: Executor, *, tile: int) -> None:
        self._engine = engine
        self._executor = executor
        self._tile = tile

    @property
    def drafts(self) -> bool:
        """Whether the engine has a draft."""
        return self._engine.engine.draft is not None

    async def upscale(
        self,
        plane: Image,
        *,
        logits: bool,
        deadline: float,
        draft: bool = False,
        observe: Callable[[str, float], None] = lambda *_: None,
    ) -> Upscaled:
        """Upscale `(h, w) uint8` luma to `(4h, 4w)`.

        Args:
            plane: the upload's luma.
            logits: whether the logits are wanted as well; they are `float16`.
            deadline: on the clock of `time.monotonic()`.
            draft: whether to use the engine's draft; there must be one.
            observe: called with the seconds that each tile spent in `queue` and `inference`.

        Raises:
            ServiceError: `deadline_exceeded`, `overloaded`.
        """
        contract = self._engine.engine.manifest.contract
        padded = pad_to_multiple(plane, contract.multiple)
        # Only readers look at a draft.
        from_logits = contract.readable == "logits" and (logits or draft)
        logits = logits or from_logits
        assembly = _Assembly(
            padded.shape, logits=logits and contract.logits is not None, from_logits=from_logits
        )
        loop = asyncio.get_running_loop()
        tiles = plan(
            *padded.shape, tile=self._tile, radius=contract.receptive_radius, multiple=contract.multiple
        )
        for tile in tiles:
            lr = to_tensor(padded[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop])
            ran = await self._engine.run(
                lr, logits=assembly.logits is not None, deadline=deadline, draft=draft
            )
            observe("queue", ran.queue)
            observe("inference", ran.inference)
            if lr.size <= _PUT_AT_ONCE:
                assembly.put(tile, ran.output)
            else:
                await loop.run_in_executor(self._executor, partial(assembly.put, tile, ran.output))
        return assembly.crop(*plane.shape)


class _Assembly:
    """The output planes, filled tile by tile."""

    def __init__(self, shape: tuple[int, ...], *, logits: bool, from_logits: bool) -> None:
        """`from_logits` says that readers look at the picture of the logits."""
        size = (shape[0] * SCALE, shape[1] * SCALE)
        self.sr: Image = np.empty(size, np.uint8)
        self.logits: npt.NDArray[np.float16] | None = np.empty(size, np.float16) if logits else None
        self.readable: Image | None = np.empty(size, np.uint8) if from_logits else None

    def put(self, tile: Tile, output: EngineOutput) -> None:
        rows, columns = tile.rows, tile.columns
        target = (
            slice(rows.keep_start * SCALE, rows.keep_stop * SCALE),
            slice(columns.keep_start * SCALE, columns.keep_stop * SCALE),
        )
        self.sr[target] = quantise(_inner(output.sr, tile))
        if self.logits is not None and output.logits is not None:
            half = to_half(_inner(output.logits, tile))
            self.logits[target] = half
            if self.readable is not None:
                self.readable[target] = symbol_picture(half)

    def crop(self, height: int, width: int) -> Upscaled:
        size = (slice(height * SCALE), slice(width * SCALE))
        logits = None if self.logits is None else self.logits[size]
        if self.readable is None:
            return Upscaled(self.sr[size], logits)
        return Upscaled(self.readable[size], logits, picture=self.sr[size])


def _inner(output: Tensor, tile: Tile) -> Tensor:
    (top, bottom), (left, right) = tile.rows.inner, tile.columns.inner
    return output[0, 0, top * SCALE : bottom * SCALE, left * SCALE : right * SCALE]
