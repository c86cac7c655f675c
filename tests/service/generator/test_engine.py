"""The engine keeps its word about devices, models and threads."""

import asyncio
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from model_store.manifest import ManifestError
from service.errors import ServiceError
from service.generator.engine import CPU, EngineError, EngineOutput, OnnxEngine
from service.generator.queue import EngineThreads
from service.machine import usable_cpus
from tests.builders.engines import Unwatched
from tests.builders.model import write_tiny_model


def test_cpu_and_auto_tell_the_provider_in_use(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    assert OnnxEngine(folder, device="cpu", threads=1, tile=64).provider == CPU


def test_cuda_refuses_to_start_without_cuda(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this build of ONNX Runtime has CUDA")
    with pytest.raises(EngineError, match="CUDA"):
        OnnxEngine(write_tiny_model(tmp_path), device="cuda", threads=1, tile=64)


def test_an_altered_model_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    data = bytearray((folder / "model.onnx").read_bytes())
    data[-1] ^= 1
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(ManifestError, match="differs"):
        OnnxEngine(folder, device="cpu", threads=1, tile=64)


def test_a_graph_that_is_not_as_described_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"output":"sr"', '"output":"hr"'))
    with pytest.raises(EngineError, match="differ from its manifest"):
        OnnxEngine(folder, device="cpu", threads=1, tile=64)


def test_the_engine_gives_sr_and_logits_only_if_asked(tmp_path: Path) -> None:
    engine = OnnxEngine(write_tiny_model(tmp_path), device="cpu", threads=1, tile=64)
    lr = np.random.default_rng(0).random((3, 1, 10, 14), np.float32)
    output = engine.run(lr, logits=True)
    assert output.sr.shape == (3, 1, 40, 56)
    assert output.logits is not None
    np.testing.assert_allclose(1 / (1 + np.exp(-output.logits)), output.sr, atol=1e-5)
    assert engine.run(lr, logits=False).logits is None


@pytest.mark.parametrize(
    ("text", "expected"), [("150000 100000", 2), ("max 100000", 64), ("50000 100000", 1)]
)
def test_a_cgroup_quota_limits_the_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    (tmp_path / "cpu.max").write_text(text + "\n")
    assert usable_cpus(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("300000", 3), ("-1", 64)])
def test_a_quota_of_cgroup_v1_limits_the_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert usable_cpus(tmp_path) == expected


def test_affinity_bounds_the_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5})
    (tmp_path / "cpu.max").write_text("800000 100000")
    assert usable_cpus(tmp_path) == 2
    assert usable_cpus(tmp_path / "none") == 2


class Slow:
    """An engine that waits until it is let go, and records what it ran."""

    draft = None

    def __init__(self, engine: OnnxEngine) -> None:
        self.manifest, self.provider = engine.manifest, engine.provider
        self.go = threading.Event()
        self.ran: list[float] = []

    def run(self, lr: np.ndarray, *, logits: bool) -> EngineOutput:
        self.go.wait(20)
        self.ran.append(float(lr.flat[0]))
        return EngineOutput(lr, lr if logits else None)

    def healthy(self) -> bool:
        return True


def tile(value: float) -> np.ndarray:
    return np.full((1, 1, 2, 2), value, np.float32)


def test_the_queue_is_in_order_bounded_and_skips_what_nobody_waits_for(tmp_path: Path) -> None:
    engine = Slow(OnnxEngine(write_tiny_model(tmp_path), device="cpu", threads=1, tile=64))
    thread = EngineThreads(engine, capacity=4, watcher=Unwatched())

    async def scenario() -> None:
        later = time.monotonic() + 60
        tasks = [
            asyncio.create_task(thread.run(tile(index), logits=False, deadline=later)) for index in range(4)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ServiceError) as caught:
            await thread.run(tile(9), logits=False, deadline=later)
        assert caught.value.code == "overloaded"
        tasks[1].cancel()
        await asyncio.sleep(0)
        thread.start()
        engine.go.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[1], asyncio.CancelledError)
        assert engine.ran == [0, 2, 3]
        with pytest.raises(ServiceError) as caught:
            await thread.run(tile(9), logits=False, deadline=time.monotonic() - 1)
        assert caught.value.code == "deadline_exceeded"
        assert engine.ran == [0, 2, 3]

    async def afterwards() -> None:
        with pytest.raises(ServiceError) as caught:
            await thread.run(tile(9), logits=False, deadline=time.monotonic() + 60)
        assert caught.value.status == 503

    asyncio.run(scenario())
    thread.stop()
    assert not thread.alive
    asyncio.run(afterwards())
