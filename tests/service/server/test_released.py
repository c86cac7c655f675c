"""The released generator behind the real application: what the README promises, on the README's own crops."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from model_store.manifest import load_generator
from model_store.versions import version_folder
from service.server.app import create_app
from service.settings import Settings
from tests.builders.server import running

pytestmark = pytest.mark.processes


ROOT = Path(__file__).resolve().parents[3]
SAMPLES = sorted((ROOT / "docs" / "samples").glob("*.png"))


@pytest.fixture(scope="module")
def released() -> Iterator[httpx.Client]:
    # Whatever this machine's CPU is good at, the answers shown are those with the draft.
    app = create_app(Settings(model_store=ROOT / "model_store", device="cpu", drafts="on"))
    with running(app) as server, server.client() as client:
        yield client


def test_the_release_reads_what_wechat_alone_does_not() -> None:
    manifest, _ = load_generator(version_folder(ROOT / "model_store", "qr_sr_x4", 0))
    rates = {rate.benchmark.rpartition(",")[0]: rate for rate in manifest.read_rates}
    easier, harder = rates["camera, 1.4 px per module"], rates["camera, 1.2 px per module"]
    assert easier.symbols >= 200
    assert easier.read_sr > easier.read_lr + 0.3
    assert harder.read_sr > 2 * harder.read_lr
    assert all(rate.misread == 0 for rate in manifest.read_rates)


def test_ready_tells_what_is_served(released: httpx.Client) -> None:
    manifest, _ = load_generator(version_folder(ROOT / "model_store", "qr_sr_x4", 0))
    state = released.get("/readyz").json()
    assert state["ready"] is True
    assert state["provider"] == "CPUExecutionProvider"
    assert state["model"]["sha256"] == manifest.model.sha256
    assert state["model"]["parameters"] == manifest.parameters


def test_the_readme_shows_real_answers(released: httpx.Client) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"curl -s -F file=@(docs/samples/\S+) localhost:8000/decode\n +(\{.*\})\n", text)
    assert {Path(path).name for path, _ in shown} == {path.name for path in SAMPLES}
    for path, answer in shown:
        real = released.post("/decode", files={"file": (ROOT / path).read_bytes()}).json()
        expected = json.loads(answer)
        for symbol, claimed in zip(real["symbols"], expected["symbols"], strict=True):
            assert np.abs(np.array(symbol.pop("points")) - claimed.pop("points")).max() < 0.5
            # What a symbol is, is left out.
            assert {key: symbol[key] for key in claimed} == claimed
        for part in ("image", "upscaled", "complete"):
            assert real[part] == expected[part]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_hard_and_are_enlarged_exactly(released: httpx.Client, path: Path) -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    crop = Image.open(path)
    assert not zxingcpp.read_barcodes(np.asarray(crop.convert("L")))
    response = released.post("/upscale", files={"file": path.read_bytes()})
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as large:
        assert large.size == (4 * crop.width, 4 * crop.height)
