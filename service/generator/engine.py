"""Runs a generator with ONNX Runtime: builds the session, verifies its provider, warms it up."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import onnxruntime as ort

from model_store.contract import SCALE, Tensor
from model_store.manifest import GeneratorManifest, load_generator
from service.generator.tiling import side

Device = Literal["auto", "cpu", "cuda"]
ConvSearch = Literal["exhaustive", "heuristic", "default"]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
Provider = tuple[str, dict[str, str]]
Shape = tuple[int, int, int]
"""Batch, height, width."""

_log = logging.getLogger(__name__)


class EngineError(Exception):
    """The engine cannot be built as configured, or its graph does not match the manifest."""


@dataclass(frozen=True, slots=True)
class EngineOutput:
    """Both arrays `(N, 1, 4h, 4w) float32`."""

    sr: Tensor
    """In [0, 1]."""
    logits: Tensor | None
    """Before the sigmoid; None when not asked for or not in the graph."""


@dataclass(frozen=True, slots=True)
class CudaOptions:
    """Options of the CUDA provider.

    By default ONNX Runtime doubles the arena whenever it grows, has no memory limit, and searches convolution
    algorithms exhaustively for every new shape.
    """

    memory_bytes: int = 0
    """Most memory of the arena; 0 for no limit."""
    conv_search: ConvSearch = "heuristic"

    def provider(self) -> Provider:
        """Name and options for `InferenceSession`."""
        options = {
            "device_id": "0",
            # Grow by what is needed. There are few shapes, so the arena has its final size after the warm-up.
            "arena_extend_strategy": "kSameAsRequested",
            "cudnn_conv_algo_search": self.conv_search.upper(),
            # More workspace lets cuDNN take its faster algorithms; the shapes are small.
            "cudnn_conv_use_max_workspace": "1",
            "do_copy_in_default_stream": "1",
        }
        if self.memory_bytes:
            options["gpu_mem_limit"] = str(self.memory_bytes)
        return CUDA, options


class UpscaleEngine(Protocol):
    """The interface of an engine. `run` is called from the engine's threads only."""

    @property
    def manifest(self) -> GeneratorManifest: ...

    @property
    def provider(self) -> str:
        """The execution provider in use."""
        ...

    def run(self, lr: Tensor, *, logits: bool) -> EngineOutput:
        """Upscale `(N, 1, h, w) float32 in [0, 1]`, h and w multiples of the contract's `multiple`."""
        ...

    def healthy(self) -> bool:
        """Whether a forward pass that has worked before still works; called after a failure."""
        ...

    @property
    def draft(self) -> "UpscaleEngine | None":
        """A faster, less exact copy of the same generator; see `service.generator.draft`."""
        ...


class OnnxEngine:
    """An ONNX Runtime session of a released generator."""

    def __init__(
        self,
        version_dir: Path,
        *,
        device: Device,
        threads: int,
        tile: int,
        cuda: CudaOptions | None = None,
    ) -> None:
        """Load, verify and warm up.

        Args:
            version_dir: folder with `manifest.json` and the model it names.
            device: `auto` uses CUDA if it can be initialised, and logs a warning if not.
            threads: CPU threads of one forward pass.
            tile: longest side of a tile, as in `service.generator.tiling.side`.
            cuda: options of the CUDA provider.

        Raises:
            ManifestError: the version is missing, incomplete or altered.
            EngineError: CUDA was required and could not be initialised, or the graph violates its contract.
        """
        self.draft: OnnxEngine | None = None
        self._manifest, path = load_generator(version_dir)
        wanted = _wanted(device, cuda or CudaOptions())
        self._session = _session(path, wanted, threads)
        # ONNX Runtime drops a provider that fails to load without an exception; only the session knows its provider.
        self._provider = str(self._session.get_providers()[0])
        if device == "cuda" and self._provider != CUDA:
            raise EngineError(f"CUDA was asked for, but the session came up on {self._provider}")
        if wanted[0][0] == CUDA and self._provider != CUDA:
            _log.warning("CUDA could not be initialised", extra={"provider": self._provider})
        self._check_graph()
        contract = self._manifest.contract
        largest = side(tile, radius=contract.receptive_radius, multiple=contract.multiple)
        unit = contract.multiple
        self._largest: Shape = (1, largest, largest)
        self._probe: Shape = (1, unit * 8, unit * 16)
        # Two shapes, to detect a graph with a fixed size. The largest one first, so that the arena is allocated at once
        # for the largest tile.
        self.warm_up([self._largest, self._probe])

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

    def healthy(self) -> bool:
        try:
            self.warm_up([self._probe])
        except Exception:
            # ONNX Runtime has an exception type for each of its status codes.
            _log.exception("a forward pass that worked before now fails")
            return False
        return True

    def warm_up(self, shapes: Iterable[Shape]) -> None:
        """Run every shape once, and check the outputs.

        Raises:
            EngineError: an output has the wrong shape or values that are not finite.
        """
        for batch, height, width in shapes:
            shape = (batch, 1, height, width)
            out = self.run(np.full(shape, 0.5, np.float32), logits=True)
            expected = (batch, 1, height * SCALE, width * SCALE)
            for array in (out.sr, out.logits):
                if array is not None and (array.shape != expected or not np.isfinite(array).all()):
                    raise EngineError(f"{shape} gives {array.shape}, expected finite values of {expected}")

    def fill_arena(self) -> None:
        """Run the largest tile twice, to allocate the arena.

        Called from as many threads at the same time as will call `run`. Otherwise memory would grow later, when several
        large tiles run together for the first time.

        Raises:
            EngineError: as `warm_up`.
        """
        self.warm_up([self._largest] * 2)

    def _check_graph(self) -> None:
        contract = self._manifest.contract
        wanted = {contract.output} | ({contract.logits} if contract.logits else set())
        inputs = [node.name for node in self._session.get_inputs()]
        outputs = {node.name for node in self._session.get_outputs()}
        if inputs != [contract.input] or not wanted <= outputs:
            raise EngineError(
                f"the graph's inputs {inputs} or outputs {sorted(outputs)} differ from its manifest"
            )


def _wanted(device: Device, cuda: CudaOptions) -> list[Provider]:
    cpu: Provider = (CPU, {})
    if device == "cpu" or (device == "auto" and CUDA not in ort.get_available_providers()):
        return [cpu]
    return [cuda.provider(), cpu]


@cache
def _share_arena() -> None:
    """Let all CPU sessions share one arena, so that a generator and its draft do not fill two."""
    cpu = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    # No limit; the other values are ONNX Runtime's defaults.
    ort.create_and_register_allocator(cpu, ort.OrtArenaCfg(0, -1, -1, -1))


def _session(path: Path, providers: list[Provider], threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory pattern would be recorded for every new shape, and shapes differ. The arena stays on: without it every
    # layer's output is allocated from the system, and page faults cost half as much again.
    options.enable_mem_pattern = False
    # Spinning threads would take the CPU from decoder processes and image encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if providers[0][0] == CPU:
        _share_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
    elif hasattr(ort, "preload_dlls"):
        # Loads the CUDA and cuDNN libraries that are installed as Python wheels.
        ort.preload_dlls()
    return ort.InferenceSession(str(path), options, providers=providers)
