"""The draft: an 8-bit copy of the generator, which enlarges on a CPU in a third of the time.

A symbol that is read from the draft need not be enlarged again; every other crop goes to the generator itself. So a
draft loses no crop, but of several symbols in one crop it may show fewer. (Language models call a smaller model that
guesses for a larger one a draft model.)

The copy lies in the folder `draft/` of its generator and is made by `python -m training.precision int8`. Whether it is
faster depends on the instructions of the CPU: without VNNI it may not be, and its 16-bit sums may overflow. Therefore
both are run and compared at the start.
"""

import logging
import time
from pathlib import Path
from typing import Literal

import numpy as np

from model_store.contract import Tensor, to_tensor
from model_store.manifest import DRAFT, MANIFEST_NAME
from service.generator.engine import EngineError, OnnxEngine, UpscaleEngine

Drafts = Literal["auto", "on", "off"]

MOST_TIME = 0.6
"""Most time of a draft, as a share of the generator's, for it to save time: about this share of the enlarged crops is
read from drafts."""
MOST_FLIPPED = 0.001
"""Most pixels, as a share, that are dark in one and light in the other although the generator is sure of them. A good
copy has 1e-5; one whose 16-bit sums overflow, as with AVX2 without VNNI, 2e-3."""
_SURE = 1.0
"""Absolute logit above which the generator is sure."""
_SIDE, _MODULE = 64, 2
_ROUNDS = 5

_log = logging.getLogger(__name__)


def draft_of(
    engine: OnnxEngine, version_dir: Path, *, drafts: Drafts, threads: int, tile: int
) -> OnnxEngine | None:
    """The draft of the generator in `version_dir`, warmed up; None where there is none, or it is not used.

    Args:
        engine: runs the generator, on a CPU.
        drafts: `on` skips the comparison, `off` disables the draft.
        threads, tile: as for `OnnxEngine`.

    Raises:
        ManifestError, EngineError: the copy is altered, or does not match its manifest.
    """
    folder = copy_of(version_dir)
    if drafts == "off" or folder is None:
        return None
    draft = OnnxEngine(folder, device="cpu", threads=threads, tile=tile)
    if draft.manifest.copy_of != engine.manifest.model.sha256:
        _log.warning("the draft belongs to another generator and is not used")
        return None
    if drafts == "on":
        return draft
    share, flipped = compared(engine, draft)
    used = share <= MOST_TIME and flipped <= MOST_FLIPPED
    told = {"used": used, "share_of_time": round(share, 2), "flipped": round(flipped, 5)}
    _log.info("compared the draft with its generator", extra=told)
    return draft if used else None


def copy_of(version_dir: Path) -> Path | None:
    """Folder of the 8-bit copy of a released version; None where it has none."""
    folder = version_dir / DRAFT
    return folder if (folder / MANIFEST_NAME).is_file() else None


def compared(engine: UpscaleEngine, draft: UpscaleEngine) -> tuple[float, float]:
    """Compare a draft with its generator.

    Returns the processor time of the draft as a share of the generator's, the least of several runs in turn, and the
    share of sure pixels that differ.

    Raises:
        EngineError: one of them gives no logits.
    """
    lr = probe()
    seconds: dict[str, float] = {}
    logits = {}
    for _ in range(_ROUNDS):
        for name, one in (("generator", engine), ("draft", draft)):
            # Processor time of the thread, since the machine is busy while services start.
            began = time.thread_time()
            made = one.run(lr, logits=True).logits
            took = time.thread_time() - began
            seconds[name] = min(seconds.get(name, took), took)
            if made is None:
                raise EngineError(f"{one.manifest.name} gives no logits to compare")
            logits[name] = made
    sure = np.abs(logits["generator"]) > _SURE
    flipped = sure & ((logits["generator"] < 0) != (logits["draft"] < 0))
    return seconds["draft"] / seconds["generator"], float(flipped.mean())


def probe() -> Tensor:
    """A test image of random modules with soft edges, as a tensor `(1, 1, 64, 64)`."""
    rng = np.random.default_rng(0)
    modules = rng.integers(0, 2, (_SIDE // _MODULE, _SIDE // _MODULE))
    sharp = np.kron(modules, np.ones((_MODULE, _MODULE)))
    soft = (sharp + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1) + np.roll(sharp, (1, 1), (0, 1))) / 4
    return to_tensor(np.rint(40 + 170 * soft).astype(np.uint8))
