"""`qrsr.read` and `qrsr.upscale`: what a caller gives and gets, without a server."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import qrsr
from service.settings import Settings
from tests.builders.images import encode, pattern, symbol
from tests.builders.model import TINY, write_tiny_model
from tests.builders.process import ROOT

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[qrsr.Reader]:
    store = tmp_path_factory.mktemp("store")
    write_tiny_model(store)
    with qrsr.Reader(Settings(model_store=store, model=TINY, device="cpu", decoders=1)) as reader:
        yield reader


def test_paths_bytes_and_pixels_give_the_same_symbol(reader: qrsr.Reader, tmp_path: Path) -> None:
    picture = symbol("HELLO")
    path = tmp_path / "crop.png"
    path.write_bytes(encode(picture))
    colour = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    for image in (path, str(path), path.read_bytes(), picture, colour):
        (found,) = reader.read(image)
        assert (found.payload, found.text) == (b"HELLO", "HELLO")
        assert len(found.points) == 4


def test_nothing_to_read_is_an_empty_list(reader: qrsr.Reader) -> None:
    assert reader.read(np.full((40, 60), 255, np.uint8)) == []


def test_an_enlarged_image_keeps_its_channels_and_their_order(reader: qrsr.Reader) -> None:
    assert reader.upscale(np.ascontiguousarray(pattern(20, 30)[..., 0])).shape == (80, 120)
    red = np.zeros((16, 24, 3), np.uint8)
    red[...] = (200, 30, 10)
    enlarged = reader.upscale(red)
    assert enlarged.shape == (64, 96, 3)
    assert enlarged.dtype == np.uint8
    # The colour of the middle, within what conversion to luma and chroma rounds.
    assert np.abs(enlarged[32, 48].astype(int) - (200, 30, 10)).max() <= 3
    alpha = np.dstack([red, np.full((16, 24), 7, np.uint8)])
    assert reader.upscale(alpha).shape == (64, 96, 4)
    assert (reader.upscale(alpha)[..., 3] == 7).all()


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"no image", "unsupported_image_format"),
        (b"", "file_empty"),
        ("missing.png", "file_not_found"),
        (np.zeros((3, 90), np.uint8), "image_too_small"),
        (np.zeros((0, 9), np.uint8), "image_too_small"),
    ],
)
def test_what_is_no_image_is_an_error_with_a_code(reader: qrsr.Reader, image: bytes | str, code: str) -> None:
    with pytest.raises(qrsr.ImageError) as caught:
        reader.read(image)
    assert caught.value.code == code


@pytest.mark.parametrize("pixels", [np.zeros((9, 9)), np.zeros((9, 9, 2), np.uint8), np.zeros(9, np.uint8)])
def test_pixels_of_another_kind_are_a_mistake_of_the_caller(
    reader: qrsr.Reader, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"
) -> None:
    with pytest.raises(TypeError, match="uint8"):
        reader.read(pixels)


def test_a_script_of_three_lines_reads_and_ends_without_a_word() -> None:
    script = "import qrsr\nfor symbol in qrsr.read('docs/samples/label.png'):\n    print(symbol.text)\n"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "https://example.org/qr-super-resolution\n", "")


def test_the_package_alone_imports_neither_opencv_nor_fastapi_nor_numpy() -> None:
    script = (
        "import sys, qrsr; qrsr.Client('http://localhost:1').close();"
        "print(sorted({'cv2', 'numpy', 'fastapi', 'onnxruntime', 'pydantic'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_the_extras_the_missing_package_and_the_remedy_are_named() -> None:
    script = (
        "import sys; sys.modules['cv2'] = None; import qrsr\n"
        "try:\n    qrsr.read\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout == "qrsr.read needs cv2: pip install 'qr-super-resolution[cpu]', or [cuda]\n"
