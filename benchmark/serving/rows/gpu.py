"""The generator on a GPU by batch size, compared with the GPU's peak. Needs CUDA; not part of `all`.

Each time has two floors. By operations: those of the network, at the rate of a large matrix product on the same device.
By bytes: the input and output of every convolution once, at the rate of a large addition. No schedule that runs layer
by layer is faster than the larger floor.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from benchmark.comparison.graph_cost import onnx_macs
from benchmark.paths import ROOT
from model_store.manifest import load_generator
from model_store.versions import version_folder
from service.generator.engine import CUDA, CudaOptions

SIDES = (64, 128, 256)
BATCHES = (1, 2, 4, 8, 16, 32)
_MATRIX = 4096
_VECTOR = 1 << 26


class NoGpuError(Exception):
    """CUDA does not work here."""


def run(*, scale: float = 1.0, provider: str = CUDA) -> dict[str, Any]:
    """Images a second, with input and output on the device (IO binding), and from and to the host, as in the service.

    Raises:
        NoGpuError: the session uses another provider.
    """
    rounds = max(round(20 * scale), 2)
    manifest, path = load_generator(version_folder(ROOT / "model_store", "qr_sr_x4", 0))
    session = _session(str(path), provider)
    if session.get_providers()[0] != provider:
        raise NoGpuError(f"the session came up on {session.get_providers()[0]}")
    operations = 2.0 * _MATRIX**3 / _seconds(_matrix(provider), rounds)
    bandwidth = 3.0 * 4 * _VECTOR / _seconds(_addition(provider), rounds)
    rows = []
    for side in SIDES:
        flops, moved = 2.0 * onnx_macs(path, side, side), _bytes(path, side)
        for batch in BATCHES:
            planes = np.random.default_rng(0).random((batch, 1, side, side), np.float32)
            floors = batch * flops / operations, batch * moved / bandwidth
            host = _seconds(partial(session.run, None, {manifest.contract.input: planes}), rounds)
            bound = _seconds(_bound(session, manifest.contract.input, planes, provider), rounds)
            rows.append(
                {
                    "side": side,
                    "batch": batch,
                    "images_per_second_host": batch / host,
                    "images_per_second_device": batch / bound,
                    "floor_by_operations_ms": 1e3 * floors[0],
                    "floor_by_bytes_ms": 1e3 * floors[1],
                    "of_floor": max(floors) / bound,
                }
            )
            print(rows[-1], flush=True)
    return {"provider": provider, "tflops": operations / 1e12, "gb_per_second": bandwidth / 1e9, "rows": rows}


def _session(model: str | bytes, provider: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if provider == CUDA:
        ort.preload_dlls()
    return ort.InferenceSession(
        model, options, providers=[CudaOptions().provider() if provider == CUDA else provider]
    )


def _seconds(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for index in range(rounds + 3):
        started = time.perf_counter()
        work()
        if index >= 3:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _bound(session: ort.InferenceSession, name: str, planes: Any, provider: str) -> Callable[[], object]:
    device = "cuda" if provider == CUDA else "cpu"
    binding = session.io_binding()
    binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(planes, device, 0))
    for output in session.get_outputs():
        binding.bind_output(output.name, device)

    def work() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return work


def _matrix(provider: str) -> Callable[[], object]:
    node = helper.make_node("MatMul", ["x", "x"], ["y"])
    return _alone(node, [_MATRIX, _MATRIX], provider)


def _addition(provider: str) -> Callable[[], object]:
    node = helper.make_node("Add", ["x", "x"], ["y"])
    return _alone(node, [_VECTOR], provider)


def _alone(node: onnx.NodeProto, shape: list[int], provider: str) -> Callable[[], object]:
    entry, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y"))
    graph = helper.make_graph([node], "alone", [entry], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    values = np.random.default_rng(0).random(shape, np.float32)
    return _bound(_session(model.SerializeToString(), provider), "x", values, provider)


def _bytes(path: Path, side: int) -> int:
    """Bytes of the input and output of every convolution for one image."""
    model = onnx.load(path)
    names = [
        name
        for node in model.graph.node
        if node.op_type == "Conv"
        for name in (node.input[0], node.output[0])
    ]
    present = {entry.name for entry in (*model.graph.output, *model.graph.input)}
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names) if name not in present
    )
    session = _session(model.SerializeToString(), "CPUExecutionProvider")
    source = session.get_inputs()[0].name
    picture = np.zeros((1, 1, side, side), np.float32)
    wanted = [output.name for output in session.get_outputs()]
    shapes = {source: picture.shape}
    shapes |= {
        name: value.shape for name, value in zip(wanted, session.run(wanted, {source: picture}), strict=True)
    }
    return 4 * sum(prod(shapes[name]) for name in names)
