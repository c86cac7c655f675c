"""No other reader reads a sample: none that is installed here, on the crop itself or on any plain resize of it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmark.comparison.readers import ReaderUnavailableError, wechat_files
from benchmark.paths import ROOT
from benchmark.readme.rivals import KERNELS, SCALES, readers, resized, successes
from benchmark.readme.sample_crops import LABEL_ON_POSTER, SERVED, WECHAT
from benchmark.serving.images import symbol

INDEX = json.loads((ROOT / SERVED / "index.json").read_text())


@pytest.fixture(scope="module")
def wechat() -> Path:
    try:
        wechat_files(WECHAT)
    except ReaderUnavailableError as error:
        pytest.skip(str(error))
    return WECHAT


def served(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    image = np.asarray(cv2.imread(str(ROOT / SERVED / name), cv2.IMREAD_GRAYSCALE), np.uint8)
    if name == "poster.jpg":
        top, left, side = LABEL_ON_POSTER
        return image[top : top + side, left : left + side]
    return image


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [entry["file"] for entry in INDEX])
def test_no_other_reader_reads_a_sample(name: str, wechat: Path) -> None:
    assert {"wechat", "wechat-plain", "zxing", "opencv", "opencv-aruco"} <= set(readers(wechat))
    assert list(successes(served(name), wechat)) == []


def test_every_kernel_and_every_scale_is_tried() -> None:
    tried = [(kernel, scale) for kernel, scale, _ in resized(np.zeros((20, 30), np.uint8))]
    assert tried == [("as it is", 1.0)] + [(kernel, scale) for scale in SCALES[1:] for kernel in KERNELS]


def test_a_legible_symbol_is_found_out(wechat: Path) -> None:
    legible = symbol("HELLO")
    assert {success.reader for success in successes(legible, wechat, ("zxing", "wechat"))} == {
        "zxing",
        "wechat",
    }


def test_the_page_says_how_many_pictures_were_tried() -> None:
    said = [entry for entry in INDEX if "others" in entry]
    # Of the whole photo nothing is said, only the label in it has been tried.
    assert [entry["file"] for entry in INDEX if entry not in said] == ["poster.jpg"]
    for entry in said:
        assert entry["others"]["pictures"] == 1 + (len(SCALES) - 1) * len(KERNELS)
        assert {"zxing-cpp", "WeChat", "OpenCV", "ZBar"} == set(entry["others"]["readers"])
