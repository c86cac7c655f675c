"""The order in which a symbol is looked for, and what becomes of the answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.decoding.reading import Reading

Outcome = Literal["read", "nothing", "timeout", "failed"]


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
class AttemptRecord:
    """What one attempt did and how long it took."""

    attempt: str
    milliseconds: float
    outcome: Outcome
    symbols: int


@dataclass(frozen=True, slots=True)
class DecodeResult:
    """What was read from one upload."""

    readings: tuple[Reading, ...]
    """Points in pixels of the upload."""
    attempts: tuple[AttemptRecord, ...]
    upscaled: bool
    """Whether the upscale callable was used."""
    timed_out: bool
    """The deadline passed before every attempt that might have read something had its turn."""


class Cascade:
    """Tries reader after reader on an upload, then on its x4 image."""

    async def decode(
        self, image: NDArray[np.uint8], *, upscale: Upscale | None, deadline: float
    ) -> DecodeResult:
        """Read the symbols in `image`.

        Args:
            image: `(h, w)` luma or `(h, w, 3)` RGB, uint8.
            upscale: called at most once, and only when nothing was read from the upload; None to do without.
            deadline: on the clock of `time.monotonic()`, seconds.
        """
        raise NotImplementedError
