"""The engine on CUDA: it is really there, agrees with the CPU, batches, and serves."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.generator.engine import CPU, CUDA, CudaOptions, OnnxEngine
from service.generator.queue import Item, run_batch
from service.pipeline.runtime import ladder
from service.server.app import create_app
from service.settings import Settings
from tests.builders.decoders import InProcessDecoder
from tests.builders.server import running

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "docs" / "samples").glob("*.png"))


def luma(path: Path) -> np.ndarray:
    pixels = np.asarray(Image.open(path).convert("L"), np.float32) / 255
    height, width = (side // 2 * 2 for side in pixels.shape)
    return pixels[None, None, :height, :width]


def test_the_session_is_on_the_gpu(on_cuda: OnnxEngine) -> None:
    assert on_cuda.provider == CUDA
    assert on_cuda.healthy()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_it_agrees_with_the_cpu(on_cuda: OnnxEngine, released: Path, path: Path) -> None:
    on_cpu = OnnxEngine(released, device="cpu", threads=1, tile=64)
    assert on_cpu.provider == CPU
    here, there = on_cuda.run(luma(path), logits=True), on_cpu.run(luma(path), logits=True)
    # TF32 has 10 bits of mantissa: pictures agree to a grey level, logits where they decide anything.
    assert np.abs(here.sr - there.sr).max() < 1.5 / 255
    assert here.logits is not None
    assert there.logits is not None
    sure = np.abs(there.logits) > 0.25
    assert np.array_equal(here.logits[sure] < 0, there.logits[sure] < 0)


def test_every_shape_of_the_ladder_runs_and_batches_equal_singles(on_cuda: OnnxEngine) -> None:
    shapes = ladder(Settings(), on_cuda.provider)
    assert shapes.sizes == (1, 2, 4, 8, 16)
    on_cuda.warm_up(shapes.shapes())
    rng = np.random.default_rng(0)
    items = [Item(rng.random((1, 1, 60, 50 + 2 * n), np.float32), True, 1e9, 0.0) for n in range(4)]
    together = run_batch(on_cuda, shapes, items)
    for item, output in zip(items, together, strict=True):
        (alone,) = run_batch(on_cuda, shapes, [item])
        assert output.sr.shape == (1, 1, 240, 4 * item.lr.shape[3])
        np.testing.assert_allclose(output.sr, alone.sr, atol=2 / 255)


def test_a_memory_limit_is_kept_or_refused_in_words(on_cuda: OnnxEngine, released: Path) -> None:
    assert on_cuda.provider == CUDA
    tight = OnnxEngine(
        released, device="cuda", threads=1, tile=384, cuda=CudaOptions(memory_bytes=512 * 1024**2)
    )
    assert tight.provider == CUDA
    with pytest.raises(Exception, match=r"(?i)memory|alloc"):
        tight.run(np.zeros((64, 1, 512, 512), np.float32), logits=True)
    assert tight.healthy(), "too large a batch fails alone"


def test_the_service_says_that_it_runs_on_cuda(on_cuda: OnnxEngine) -> None:
    settings = Settings(model_store=ROOT / "model_store", device="cuda")
    app = create_app(settings, decoder=lambda _: InProcessDecoder())
    with running(app) as server, server.client() as client:
        assert client.get("/readyz").json()["provider"] == CUDA == on_cuda.provider
        for path in SAMPLES:
            assert client.post("/upscale", files={"file": path.read_bytes()}).status_code == 200
