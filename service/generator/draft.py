"""The generator's draft: its 8-bit copy, by which a CPU enlarges in a third of the time.

What is read from a draft need not be enlarged again. Whatever is not goes to the generator itself, so a crop loses
nothing by it; only of several symbols in one crop the draft may show fewer. (Models that guess for slower ones are
called drafts in language modelling, too.)

The copy lies in the generator's own folder, `draft/`, and is made by `python -m training precision int8`. Whether it is
faster depends on the CPU's instructions: without VNNI it need not be, and its sums may overflow. So both are run at
the start, and compared.
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
"""Of the generator's time, at most, for a draft to be worth its while: about so many of the crops that need enlarging
are read from it."""
MOST_FLIPPED = 0.001
"""Share of pixels that may be dark in one and light in the other although the generator is sure of them: a healthy
copy has 1e-5, one whose sums overflow 16 bits, as with AVX2 and no VNNI, 2e-3."""
_SURE = 1.0
"""Logit beyond which it is."""
_SIDE, _MODULE = 64, 2
_ROUNDS = 5

_log = logging.getLogger(__name__)


def draft_of(
    engine: OnnxEngine, version_dir: Path, *, drafts: Drafts, threads: int, tile: int
) -> OnnxEngine | None:
    """The draft of the generator in `version_dir`, warmed up, or None where there is none or it is not to be used.

    Args:
        engine: runs the generator, on a CPU.
        drafts: `on` does without the comparison, `off` without the draft.
        threads, tile: as for `OnnxEngine`.

    Raises:
        ManifestError, EngineError: there is a copy, and it is altered, or not what its manifest says.
    """
    folder = copy_of(version_dir)
    if drafts == "off" or folder is None:
        return None
    draft = OnnxEngine(folder, device="cpu", threads=threads, tile=tile)
    if draft.manifest.copy_of != engine.manifest.model.sha256:
        _log.warning("the draft is another generator's and is not used")
        return None
    if drafts == "on":
        return draft
    share, flipped = compared(engine, draft)
    used = share <= MOST_TIME and flipped <= MOST_FLIPPED
    told = {"used": used, "share_of_time": round(share, 2), "flipped": round(flipped, 5)}
    _log.info("the generator has a draft", extra=told)
    return draft if used else None


def copy_of(version_dir: Path) -> Path | None:
    """Folder of the 8-bit copy of a released version; None where it has none."""
    folder = version_dir / DRAFT
    return folder if (folder / MANIFEST_NAME).is_file() else None


def compared(engine: UpscaleEngine, draft: UpscaleEngine) -> tuple[float, float]:
    """Processor time of the draft by the generator's, the best of some runs of each in turn, and the share of sure
    pixels in which they differ.

    Raises:
        EngineError: one of them gives no logits.
    """
    lr = probe()
    seconds: dict[str, float] = {}
    logits = {}
    for _ in range(_ROUNDS):
        for name, one in (("generator", engine), ("draft", draft)):
            # The thread's own time: at the start the machine is busy, and so it is when many start together.
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
    """Modules at random with soft edges, as a tensor `(1, 1, 64, 64)`."""
    rng = np.random.default_rng(0)
    modules = rng.integers(0, 2, (_SIDE // _MODULE, _SIDE // _MODULE))
    sharp = np.kron(modules, np.ones((_MODULE, _MODULE)))
    soft = (sharp + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1) + np.roll(sharp, (1, 1), (0, 1))) / 4
    return to_tensor(np.rint(40 + 170 * soft).astype(np.uint8))
