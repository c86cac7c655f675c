"""The estimate of what fleets serve, on numbers that can be followed by hand."""

import numpy as np
import onnx
import onnxruntime
import pytest

from benchmark.scaling.capacity import ELEMENTS_PER_PIXEL, MODEL, Assumptions, Gpu, row


def assumptions(**changes: float) -> Assumptions:
    values = {
        "macs": 1e9, "pixels": 0, "compute": 0.5, "memory": 0.5, "hard": 1.0, "reader_s": 0.05, "easy_s": 0.01,
        "busy": 0.5, "core_price": 0.1,
    }  # fmt: skip
    return Assumptions(**(values | changes))  # type: ignore[arg-type]


def test_a_card_bound_by_computing() -> None:
    # 2 GFLOP at 50 % of 4 TFLOP/s: a millisecond, so 1,000 crops a second at most, which take 50 cores to read.
    card = Gpu("card", tflops=4, gb_per_s=100, price=2)
    assert assumptions().gpu_seconds(card) == pytest.approx(1e-3)
    served, cores, price, million = row(assumptions(), card, 10)
    assert (served, cores, price) == pytest.approx((5000, 500, 70))
    assert million == pytest.approx(70 / (5000 * 3600) * 1e6)


def test_a_card_bound_by_memory() -> None:
    # 721 activations of 4 bytes, out and in, for 10,000 pixels, at 50 % of 100 GB/s.
    card = Gpu("card", tflops=1000, gb_per_s=100, price=2)
    assert assumptions(pixels=10_000).gpu_seconds(card) == pytest.approx(721 * 8 * 10_000 / 50e9)


def test_easy_crops_do_not_see_the_card() -> None:
    card = Gpu("card", tflops=4, gb_per_s=100, price=2)
    mixed = assumptions(hard=0.1)
    assert mixed.core_seconds() == pytest.approx(0.1 * 0.05 + 0.9 * 0.01)
    assert mixed.core_seconds(0.04) == pytest.approx(0.1 * 0.09 + 0.9 * 0.01)
    assert row(mixed, card, 1)[0] == pytest.approx(5000)


def test_the_activations_are_counted_right() -> None:
    model = onnx.load(MODEL)
    outputs = {entry.name for entry in model.graph.output}
    made = [name for node in model.graph.node for name in node.output if name and name not in outputs]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    side = 16
    arrays = session.run(None, {"lr": np.zeros((1, 1, side, side), np.float32)})
    assert sum(array.size for array in arrays if array.ndim == 4) == ELEMENTS_PER_PIXEL * side**2
