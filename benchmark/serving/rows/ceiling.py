"""How close the generator comes to the peak of the processor.

The ceiling is a loop of fused multiply-adds in registers (`fma.c`). No float32 computation can be faster at the same
clock. A large matrix product and a large convolution in ONNX Runtime are measured for comparison. The draft has a
ceiling of its own, the same loop with bytes. All take turns, in processor time of one thread, so that clock rate and
other programs affect all of them equally.
"""

import ctypes
import json
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from benchmark.comparison.graph_cost import onnx_macs
from benchmark.paths import ROOT
from benchmark.serving.results import neighbours
from model_store.manifest import load_generator
from model_store.versions import version_folder
from service.generator.draft import copy_of

SIDES = (64, 128, 256)
CEILING, CEILING_OF_BYTES = "ceiling", "ceiling of bytes"
_FMA_ROUNDS = 4_000_000
_MATRIX = 1024
_CONV = (64, 128)
"""Channels and side of the large convolution."""


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """GFLOP/s of each, the best of interleaved rounds, so that other programs have little effect."""
    rounds = max(round(20 * scale), 3)
    folder = version_folder(ROOT / "model_store", "qr_sr_x4", 0)
    manifest, path = load_generator(folder)
    with tempfile.TemporaryDirectory() as scratch, neighbours() as others:
        works: dict[str, tuple[float, Callable[[], object]]] = {
            "matrix product": _matrix(),
            "convolution": _convolution(),
        }
        works |= _loops(Path(scratch))
        copy = copy_of(folder)
        drawn = load_generator(copy)[1] if copy is not None else None
        for side in SIDES:
            works[f"generator {side}x{side}"] = _generator(path, manifest.contract.input, side)
            if drawn is not None:
                # It has as many operations as the generator, because it is a copy.
                operations = works[f"generator {side}x{side}"][0]
                works[f"draft {side}x{side}"] = operations, _runs(drawn, manifest.contract.input, side)
        taken: dict[str, list[float]] = {name: [] for name in works}
        for index in range(rounds + 1):
            for name, (_, work) in works.items():
                started = time.thread_time()
                work()
                if index:
                    taken[name].append(time.thread_time() - started)
        parts = _by_kind(path, manifest.contract.input, Path(scratch))
    rates = {name: works[name][0] / min(values) / 1e9 for name, values in taken.items()}
    of_bytes = {name for name in rates if name.startswith("draft") or name == CEILING_OF_BYTES}
    best = max(rate for name, rate in rates.items() if name in ("matrix product", "convolution"))
    limits = {
        name: rates.get(CEILING_OF_BYTES) if name in of_bytes else rates.get(CEILING, best) for name in rates
    }
    return {
        "model": f"{manifest.name} {manifest.version}",
        "gflops": {name: rate for name, rate in rates.items() if name not in of_bytes},
        "gops_of_bytes": {name: rate for name, rate in rates.items() if name in of_bytes},
        "shares": {name: rates[name] / limit for name, limit in limits.items() if limit},
        "milliseconds": {name: 1e3 * min(values) for name, values in taken.items()},
        "gflop_of_generator": {str(side): works[f"generator {side}x{side}"][0] / 1e9 for side in SIDES},
        "generator_128_by_operator": parts,
        "rounds": rounds,
        "taken": f"the best of {rounds} interleaved rounds",
        "neighbours": others.share,
    }


def _loops(folder: Path) -> dict[str, tuple[float, Callable[[], object]]]:
    """The ceilings; none without a C compiler, and none for bytes without an instruction for them."""
    compiler = shutil.which("cc")
    if compiler is None:
        return {}
    library = folder / "fma.so"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
    source = Path(__file__).with_name("fma.c")
    subprocess.run([compiler, *flags, "-o", str(library), str(source)], check=True)
    compiled, out = ctypes.CDLL(str(library)), ctypes.c_float()
    found: dict[str, tuple[float, Callable[[], object]]] = {}
    for name, loop in ((CEILING, compiled.fma_loop), (CEILING_OF_BYTES, compiled.dot_loop)):
        loop.restype, loop.argtypes = ctypes.c_double, [ctypes.c_long, ctypes.POINTER(ctypes.c_float)]
        if operations := loop(1000, ctypes.byref(out)) / 1000 * _FMA_ROUNDS:
            found[name] = operations, partial(loop, _FMA_ROUNDS, ctypes.byref(out))
    return found


def _session(model: bytes | str, **entries: Any) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    for name, value in entries.items():
        setattr(options, name, value)
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _matrix() -> tuple[float, Callable[[], object]]:
    shape = [_MATRIX, _MATRIX]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return 2.0 * _MATRIX**3, _single(node, shape, shape, shape)


def _convolution() -> tuple[float, Callable[[], object]]:
    channels, side = _CONV
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    shape, weights = [1, channels, side, side], [channels, channels, 3, 3]
    return 2.0 * channels * channels * 9 * side * side, _single(node, shape, weights, shape)


def _single(node: onnx.NodeProto, x: list[int], w: list[int], y: list[int]) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    weights = onnx.numpy_helper.from_array(rng.random(w, np.float32), "w")
    entry, out = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", x), ("y", y)))
    graph = helper.make_graph([node], "one", [entry], [out], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session, feed = _session(model.SerializeToString()), {"x": rng.random(x, np.float32)}
    return lambda: session.run(None, feed)


def _generator(path: Path, name: str, side: int) -> tuple[float, Callable[[], object]]:
    return 2.0 * onnx_macs(path, side, side), _runs(path, name, side)


def _runs(path: Path, name: str, side: int) -> Callable[[], object]:
    session = _session(str(path))
    plane = np.random.default_rng(0).random((1, 1, side, side), np.float32)
    return lambda: session.run(None, {name: plane})


def _by_kind(path: Path, name: str, folder: Path) -> dict[str, float]:
    """Shares of the time of a 128x128 crop by kind of operator, from ONNX Runtime's profile."""
    session = _session(str(path), enable_profiling=True, profile_file_prefix=str(folder / "profile"))
    plane = np.random.default_rng(0).random((1, 1, 128, 128), np.float32)
    for _ in range(6):
        session.run(None, {name: plane})
    events = json.loads(Path(session.end_profiling()).read_text())
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    whole = sum(spent.values())
    return {kind: microseconds / whole for kind, microseconds in spent.most_common()}
