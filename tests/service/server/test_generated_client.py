"""A client that openapi-python-client makes of the committed contract, against the service."""

import base64
import importlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.builders.images import encode, symbol

pytest.importorskip("openapi_python_client")
pytestmark = pytest.mark.processes
CONTRACT = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
PACKAGE = "generated_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package, on the path of imports."""
    folder = tmp_path_factory.mktemp("generated")
    config = folder / "config.yml"
    # Its formatter is left out: what it makes is run, not read.
    config.write_text("post_hooks: []\n")
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--meta",
        "none",
        "--fail-on-warning",
    ]
    arguments = ["--path", str(CONTRACT), "--output-path", str(folder / PACKAGE), "--config", str(config)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))


def made(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def api(generated: Path, url: httpx.URL) -> Any:
    return made("client").Client(base_url=str(url), raise_on_unexpected_status=True)


def upload(data: bytes) -> Any:
    return made("types").File(payload=io.BytesIO(data), file_name="crop.png", mime_type="image/png")


@pytest.mark.parametrize("way", ["form", "JSON", "raw"])
def test_decoding_by_every_body(api: Any, way: str) -> None:
    models = made("models")
    data = encode(symbol("GENERATED"))
    body = {
        "form": lambda: models.ImageForm(file=upload(data)),
        "JSON": lambda: models.ImageBody(image_base64=base64.b64encode(data).decode()),
        "raw": lambda: upload(data),
    }[way]()
    answer = made("api.images.decode_upload").sync(client=api, body=body)
    assert isinstance(answer, models.DecodeAnswer)
    assert [found.text for found in answer.symbols] == ["GENERATED"]
    assert answer.symbols[0].version == "1"
    assert answer.complete is True


def test_options_of_decoding(api: Any) -> None:
    models = made("models")
    body = models.ImageForm(file=upload(encode(symbol("OPTIONS"))))
    kind = models.DecodeUploadSymbol.MATRIX
    answer = made("api.images.decode_upload").sync(client=api, body=body, symbol=kind, damage=True)
    assert len(answer.symbols[0].symbol.matrix) == 21
    assert answer.symbols[0].symbol.damaged == []


def test_a_batch(api: Any) -> None:
    models = made("models")
    images = [("good", encode(symbol("BATCH"))), ("bad", b"text")]
    items = [models.BatchItem(image_base64=base64.b64encode(data).decode(), id=name) for name, data in images]
    answer = made("api.images.decode_batch").sync(client=api, body=models.BatchBody(images=items))
    assert [entry.id for entry in answer.answers] == ["good", "bad"]
    assert answer.answers[0].answer.symbols[0].text == "BATCH"
    assert answer.answers[1].problem.code == "unsupported_image_format"
    files = models.BatchForm(file=[upload(data) for _, data in images])
    answer = made("api.images.decode_batch").sync(client=api, body=files)
    assert answer.answers[0].answer.symbols[0].text == "BATCH"


def test_enlarging_gives_an_image(api: Any) -> None:
    models = made("models")
    pixels = symbol("ENLARGED")
    body = models.ImageForm(file=upload(encode(pixels)))
    answer = made("api.images.upscale_upload").sync(client=api, body=body)
    image = np.asarray(Image.open(answer.payload))
    assert image.shape == (4 * pixels.shape[0], 4 * pixels.shape[1])


def test_enlarging_and_decoding_gives_json(api: Any) -> None:
    models = made("models")
    body = models.ImageForm(file=upload(encode(symbol("BOTH"))))
    kind = models.UpscaleAndDecodeFormat.WEBP
    answer = made("api.images.upscale_and_decode").sync(client=api, body=body, format_=kind)
    assert isinstance(answer, models.UpscaleAnswer)
    assert [found.text for found in answer.symbols] == ["BOTH"]
    assert answer.format_ == "webp"


def test_a_problem_is_parsed(api: Any) -> None:
    models = made("models")
    answer = made("api.images.decode_upload").sync(client=api, body=models.ImageForm(file=upload(b"text")))
    assert isinstance(answer, models.Problem)
    assert answer.code == "unsupported_image_format"
