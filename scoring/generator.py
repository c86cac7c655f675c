"""An exported generator as the service runs it, on one image at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model_store import contract

Image = NDArray[np.uint8]
Readable = Literal["output", "logits"]


@dataclass(frozen=True, slots=True)
class Enlarged:
    """What readers look at, `(s h, s w) uint8` luma, and the logits if the model gives any."""

    sr: Image
    logits: NDArray[np.float32] | None = None
    picture: Image | None = None
    """For people, where it is not what readers look at."""

    @property
    def shown(self) -> Image:
        """What people look at."""
        return self.sr if self.picture is None else self.picture


Upscale = Callable[[Image], Enlarged]


def session_of(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """A CPU session with `threads` threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin after a run would take cores from the next measurement.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def generator(session: onnxruntime.InferenceSession, multiple: int, readable: Readable = "output") -> Upscale:
    """Our generator, with pre- and post-processing as in the service; `multiple` and `readable` as in its contract."""
    outputs = {output.name for output in session.get_outputs()}
    wanted = ["sr", "logits"] if "logits" in outputs else ["sr"]

    def upscale(image: Image) -> Enlarged:
        height, width = (contract.SCALE * side for side in image.shape)
        tensor = contract.to_tensor(contract.pad_to_multiple(image, multiple))
        results = [result[0, 0, :height, :width] for result in session.run(wanted, {"lr": tensor})]
        picture, logits = contract.quantise(results[0]), results[1] if len(results) == 2 else None
        if readable == "output" or logits is None:
            return Enlarged(picture, logits)
        return Enlarged(contract.symbol_picture(logits.astype(np.float16)), logits, picture)

    return upscale
