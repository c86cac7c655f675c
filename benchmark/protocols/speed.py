"""Cost of upscalers, side by side in one run: time, share of the machine's peak, memory."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from tqdm import tqdm

from benchmark.comparison import plots
from benchmark.comparison.arms import NONE, Arm, Image
from benchmark.comparison.farm import usable_cores
from benchmark.comparison.graph_cost import onnx_macs, onnx_parameters, superres_cost
from benchmark.comparison.options import Options
from benchmark.comparison.processes import PickledProcess
from benchmark.comparison.results import Results
from benchmark.comparison.upscalers import UpscalerSpec, build_upscaler, generator_file
from benchmark.figures.tables import rate, table

CROP = 128
ROUNDS = 25
PEAK = "peak"
_PEAK_SIDE = 1024
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """One upscaler on a crop of 128x128."""

    name: str
    parameters: int | None
    macs: int | None
    one_core_ms: float
    """Median processor time."""
    all_cores_ms: float
    """Median time."""
    peak_share: float | None
    """Operations per second on one core, as a share of those of a large matrix product."""
    memory_mb: float | None
    """Growth of the peak resident size of a separate process, including the model."""
    read_rate: float | None
    """Read rate of WeChat on its enlargements, from another run."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One run."""

    command: str
    environment: dict[str, Any]
    cores: int
    peak_gflops: tuple[float, float]
    """Matrix product of 1024x1024 float32 through ONNX Runtime: one core, all cores."""
    rates_from: str | None
    costs: list[Cost]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"schema": _SCHEMA, "protocol": "speed", **asdict(self)}, indent=1) + "\n")


def load_speed(path: Path) -> Speed:
    """Read what `Speed.save` wrote.

    Raises:
        ValueError: another schema.
    """
    data = json.loads(path.read_text())
    if data.pop("schema", None) != _SCHEMA or data.pop("protocol", None) != "speed":
        raise ValueError(f"{path}: not a speed result of this benchmark")
    data["costs"] = [Cost(**cost) for cost in data["costs"]]
    data["peak_gflops"] = tuple(data["peak_gflops"])
    return Speed(**data)


def run_speed(options: Options, rounds: int = ROUNDS, rates: Path | None = None) -> Speed:
    """Time all upscalers in turn, `rounds` times; writes `speed.json`, `speed.md` and a Pareto plot."""
    cores = usable_cores()
    crop = np.random.default_rng(0).integers(0, 256, (CROP, CROP), dtype=np.uint8)
    one: dict[str, Callable[[], object]] = {PEAK: _matrix_product(1)}
    every: dict[str, Callable[[], object]] = {PEAK: _matrix_product(cores)}
    for spec in options.upscalers:
        one[spec.name], every[spec.name] = _enlarger(spec, 1, crop), _enlarger(spec, cores, crop)
    single, many = _interleaved(one, every, rounds, cores)
    operations = 2 * _PEAK_SIDE**3
    peak = operations / single[PEAK] / 1e9, operations / many[PEAK] / 1e9
    read = _read_rates(rates)
    costs = [
        _cost(spec, single[spec.name], many[spec.name], peak[0], read.get(spec.name))
        for spec in options.upscalers
    ]
    speed = Speed(options.command, options.environment(), cores, peak, str(rates) if read else None, costs)
    speed.save(options.out / "speed.json")
    (options.out / "speed.md").write_text(speed_report(speed) + "\n")
    pareto(speed, options.out / "speed.png")
    return speed


def pareto(speed: Speed, path: Path) -> None:
    """Plot read rate against time."""
    points = [
        (cost.name, cost.one_core_ms, cost.read_rate) for cost in speed.costs if cost.read_rate is not None
    ]
    plots.pareto(points, path, "share read by WeChat (paper, lr)")


def speed_report(speed: Speed) -> str:
    """Markdown."""
    rows = [
        [
            cost.name,
            "-" if cost.parameters is None else f"{cost.parameters:,}",
            "-" if cost.macs is None else f"{cost.macs / 1e9:.3f}",
            f"{cost.one_core_ms:.1f}",
            f"{cost.all_cores_ms:.1f}",
            "-" if cost.peak_share is None else f"{100 * cost.peak_share:.0f} %",
            "-" if cost.memory_mb is None else f"{cost.memory_mb:.0f}",
            "-" if cost.read_rate is None else rate(cost.read_rate),
        ]
        for cost in speed.costs
    ]
    head = [
        "upscaler",
        "parameters",
        "GMAC",
        "ms, one core",
        f"ms, {speed.cores} cores",
        "of peak",
        "MB",
        "read",
    ]
    peak = (
        f"One 128x128 crop, medians of interleaved rounds. Peak: {speed.peak_gflops[0]:.0f} GFLOP/s on one core, "
        f"{speed.peak_gflops[1]:.0f} on {speed.cores} (matrix product of {_PEAK_SIDE}x{_PEAK_SIDE} through ONNX "
        f"Runtime on {speed.environment['processor']}). `read` is the share that WeChat reads of its enlargements"
        + (f" in `{speed.rates_from}`." if speed.rates_from else ", where measured.")
    )
    return peak + "\n\n" + table(head, rows)


def _enlarger(spec: UpscalerSpec, threads: int, crop: Image) -> Callable[[], object]:
    upscale = build_upscaler(spec, threads)
    return lambda: upscale(crop)


def _interleaved(
    one: dict[str, Callable[[], object]], every: dict[str, Callable[[], object]], rounds: int, cores: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Typical seconds: processor time on one core, wall-clock time on all. The first round is a warm-up and does not
    count."""
    single: dict[str, list[float]] = {name: [] for name in one}
    many: dict[str, list[float]] = {name: [] for name in every}
    for i in tqdm(range(rounds + 1), desc="speed", unit="round"):
        for name in one:
            cv2.setNumThreads(1)
            before = time.thread_time()
            one[name]()
            spent = time.thread_time() - before
            cv2.setNumThreads(cores)
            start = time.perf_counter()
            every[name]()
            took = time.perf_counter() - start
            if i:
                single[name].append(spent)
                many[name].append(took)
    return _typical(single), _typical(many)


def _typical(times: dict[str, list[float]]) -> dict[str, float]:
    """Medians; for the matrix product the best time, since it is the peak."""
    return {name: min(values) if name == PEAK else median(values) for name, values in times.items()}


def _cost(spec: UpscalerSpec, one: float, every: float, peak_gflops: float, read: float | None) -> Cost:
    macs = parameters = None
    if spec.path is not None and spec.kind == "superres":
        macs, parameters = superres_cost(spec.path, CROP, CROP)
    elif spec.path is not None:
        path = generator_file(spec.path).path
        macs, parameters = onnx_macs(path, CROP, CROP), onnx_parameters(path)
    share = None if macs is None else 2 * macs / one / 1e9 / peak_gflops
    return Cost(spec.name, parameters, macs, 1e3 * one, 1e3 * every, share, _memory(spec), read)


def _matrix_product(threads: int) -> Callable[[], object]:
    shape = [_PEAK_SIDE, _PEAK_SIDE]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "peak",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("a", "b")],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(0)
    inputs = {name: rng.random(shape, np.float32) for name in ("a", "b")}
    return lambda: session.run(None, inputs)


def _read_rates(path: Path | None) -> dict[str, float]:
    if path is None or not path.is_file():
        return {}
    results = Results.load(path)
    rates = {}
    for arm in results.arms():
        if arm.picture == "lr" and arm.reader == "wechat" and arm.upscaler != NONE:
            rates[arm.upscaler] = float(
                results.read(Arm("lr", arm.upscaler, "wechat"))[results.tried(arm)].mean()
            )
    return rates


def _memory(spec: UpscalerSpec) -> float | None:
    process = PickledProcess(_Probe, spec)
    try:
        process.ready()
        return process.call(_Probe.growth, limit=60.0)
    finally:
        process.close()


class _Probe:
    """A process that only enlarges."""

    def __init__(self, spec: UpscalerSpec) -> None:
        self._spec = spec

    def growth(self) -> float | None:
        """Growth of the peak resident size in megabytes from loading the model and enlarging three crops."""
        cv2.setNumThreads(1)
        before = _peak_mb()
        upscale = build_upscaler(self._spec)
        crop = np.full((CROP, CROP), 128, np.uint8)
        for _ in range(3):
            upscale(crop)
        after = _peak_mb()
        return None if before is None or after is None else after - before


def _peak_mb() -> float | None:
    """Linux's peak resident size of this program; that of getrusage includes the parent before the exec."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
