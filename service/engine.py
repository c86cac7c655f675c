"""The generator's graph on a device: built, its provider verified, warmed up, run."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import onnxruntime as ort

from model_store.contract import SCALE, Tensor
from model_store.manifest import GeneratorManifest, load_generator
from service.tiling import side

Device = Literal["auto", "cpu", "cuda"]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

_log = logging.getLogger(__name__)


class EngineError(Exception):
    """The engine cannot be built as asked for, or its graph is not what the manifest says."""


@dataclass(frozen=True, slots=True)
class EngineOutput:
    """Both arrays `(N, 1, 4h, 4w) float32`."""

    sr: Tensor
    """In [0, 1]."""
    logits: Tensor | None
    """Before the sigmoid; None when not asked for or not in the graph."""


class UpscaleEngine(Protocol):
    """What the rest of the service knows of an engine. `run` is called from one thread only."""

    @property
    def manifest(self) -> GeneratorManifest: ...

    @property
    def provider(self) -> str:
        """The execution provider really in use."""
        ...

    def run(self, lr: Tensor, *, logits: bool) -> EngineOutput:
        """Upscale `(N, 1, h, w) float32 in [0, 1]`, h and w multiples of the contract's `multiple`."""
        ...


class OnnxEngine:
    """An ONNX Runtime session over a released generator."""

    def __init__(self, version_dir: Path, *, device: Device, threads: int, tile: int) -> None:
        """Load, verify and warm up.

        Args:
            version_dir: folder with `manifest.json` and the model it names.
            device: `auto` takes CUDA where it comes up and says so where it does not.
            threads: CPU threads of one forward pass.
            tile: longest side that will be asked for, as in `service.tiling.side`.

        Raises:
            ManifestError: the version is missing, incomplete or altered.
            EngineError: CUDA was asked for and did not come up, or the graph does not keep the contract.
        """
        self._manifest, path = load_generator(version_dir)
        self._session = _session(path, _wanted(device), threads)
        # A provider that fails to load is dropped without an exception: only the session knows what it runs
        # on.
        self._provider = str(self._session.get_providers()[0])
        if device == "cuda" and self._provider != CUDA:
            raise EngineError(f"CUDA was asked for, but the session came up on {self._provider}")
        if CUDA in _wanted(device) and self._provider != CUDA:
            _log.warning("CUDA did not come up", extra={"provider": self._provider})
        self._check_graph()
        contract = self._manifest.contract
        self._warm_up(side(tile, radius=contract.receptive_radius, multiple=contract.multiple))

    @property
    def manifest(self) -> GeneratorManifest:
        return self._manifest

    @property
    def provider(self) -> str:
        return self._provider

    def run(self, lr: Tensor, *, logits: bool) -> EngineOutput:
        contract = self._manifest.contract
        names = [contract.output]
        if logits and contract.logits is not None:
            names.append(contract.logits)
        outputs: Sequence[Any] = self._session.run(names, {contract.input: lr})
        return EngineOutput(outputs[0], outputs[1] if len(outputs) > 1 else None)

    def _check_graph(self) -> None:
        contract = self._manifest.contract
        wanted = {contract.output} | ({contract.logits} if contract.logits else set())
        inputs = [node.name for node in self._session.get_inputs()]
        outputs = {node.name for node in self._session.get_outputs()}
        if inputs != [contract.input] or not wanted <= outputs:
            raise EngineError(
                f"graph takes {inputs} and gives {sorted(outputs)}, which its manifest does not say"
            )

    def _warm_up(self, largest: int) -> None:
        # Two shapes, or a graph with its size frozen would pass. The largest comes first: it makes the arena
        # as big as it will ever be, so memory does not grow later.
        unit = self._manifest.contract.multiple
        for height, width in ((largest, largest), (unit * 8, unit * 16)):
            shape = (1, 1, height, width)
            out = self.run(np.full(shape, 0.5, np.float32), logits=True)
            expected = (1, 1, height * SCALE, width * SCALE)
            for array in (out.sr, out.logits):
                if array is not None and (array.shape != expected or not np.isfinite(array).all()):
                    raise EngineError(f"{shape} gives {array.shape}, expected finite values of {expected}")


def _wanted(device: Device) -> list[str]:
    if device == "cpu" or (device == "auto" and CUDA not in ort.get_available_providers()):
        return [CPU]
    return [CUDA, CPU]


def _session(path: Path, providers: list[str], threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A pattern would be recorded for each new shape, and there is no end of shapes. The arena stays: without
    # it every layer's output comes fresh from the system, which costs half as much again in page faults.
    options.enable_mem_pattern = False
    # Idle threads that spin take the CPU from the decoders and from image coding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if CUDA in providers and hasattr(ort, "preload_dlls"):
        # Finds the CUDA and cuDNN libraries that came as Python wheels.
        ort.preload_dlls()
    return ort.InferenceSession(str(path), options, providers=providers)
