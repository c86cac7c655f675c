"""Payloads through the real readers, byte for byte, and where the symbols stand."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from service.decoding import jobs
from service.decoding.jobs import Readers
from service.decoding.reading import Point, Reading
from service.decoding.wechat import WeChatFiles, WeChatReader, WeChatUnavailableError
from tests.service.decoding.symbols import blurred, drawn, samples

SAMPLES = samples()
JOBS: dict[str, Callable[..., list[Reading]]] = {
    "zxing": jobs.zxing,
    "wechat": jobs.wechat,
    "wechat-plain": jobs.wechat_plain,
}


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("name", SAMPLES)
def test_payload_is_returned_byte_for_byte(readers: Readers, job: str, name: str) -> None:
    sample = SAMPLES[name]
    (reading,) = JOBS[job](readers, sample.image, "upload")
    assert reading.payload == sample.payload
    assert (reading.text, reading.encoding) == (sample.text, sample.encoding)
    assert reading.symbology == sample.symbology
    assert (reading.reader, reading.attempt) == (job.partition("-")[0], "upload")


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "2,953 bytes"])
def test_payload_of_logits_is_returned_byte_for_byte(readers: Readers, name: str) -> None:
    """The largest symbols are left to the other readers: five pixels a module are few for 177 modules."""
    sample = SAMPLES[name]
    logits = (sample.image / 32.0 - 4.0).astype(np.float16)
    (reading,) = jobs.soft(readers, logits, "soft")
    assert reading.payload == sample.payload
    assert (reading.text, reading.encoding) == (sample.text, sample.encoding)
    assert (reading.reader, reading.attempt) == ("soft", "soft")
    # The quiet zone is 20 pixels wide, and pixel centres are at whole numbers.
    np.testing.assert_allclose(reading.points[0], (19.5, 19.5), atol=1.0)


def test_what_wechat_alone_makes_of_a_nul_is_why_it_is_confirmed(readers: Readers) -> None:
    image = SAMPLES["NUL inside"].image
    assert [payload for payload, _ in readers.wechat.detect(image)] == [b"ab"]
    assert [reading.payload for reading in readers.wechat.read(image, "upload")] == [b"ab\0cd"]


def test_what_cannot_be_confirmed_is_not_reported(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.decoding.wechat.read_zxing", lambda *_: [])
    image = SAMPLES["ascii"].image
    assert readers.wechat.detect(image)
    assert readers.wechat.read(image, "upload") == []


def test_what_zxing_contradicts_is_not_reported(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    other = jobs.zxing(readers, SAMPLES["numeric"].image, "upload")
    monkeypatch.setattr("service.decoding.wechat.read_zxing", lambda *_: other)
    assert readers.wechat.read(SAMPLES["ascii"].image, "upload") == []


def test_a_symbol_that_zxing_reads_only_when_rectified_is_confirmed(readers: Readers) -> None:
    """The symbol is found by WeChat's detector alone; its corners let zxing read it too."""
    code = drawn(segno.make_qr("confirmed where it stands", error="M"), module=8)
    small = cv2.resize(blurred(code, 3.0), None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )
    assert jobs.zxing(readers, small, "upload") == []
    (reading,) = jobs.wechat(readers, small, "upload")
    assert reading.payload == b"confirmed where it stands"


def _corners(side: int, quiet: int, module: int) -> list[Point]:
    low, high = quiet * module, (quiet + side) * module
    return [(low, low), (high, low), (high, high), (low, high)]


def _distance(found: tuple[Point, ...], expected: list[Point]) -> float:
    return float(np.abs(np.array(found) - np.array(expected)).max())


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_points_go_clockwise_from_the_top_left_of_the_symbol(readers: Readers, job: str, turns: int) -> None:
    module, quiet, side = 6, 3, 21
    image = drawn(segno.make_qr("TURNED", version=1), module, quiet)
    turned: NDArray[np.uint8] = np.ascontiguousarray(np.rot90(image, -turns))
    (reading,) = JOBS[job](readers, turned, "upload")
    # A quarter turn clockwise takes (x, y) to (height - y, x).
    expected = _corners(side, quiet, module)
    for _ in range(turns):
        expected = [(image.shape[0] - y, x) for x, y in expected]
    assert _distance(reading.points, expected) < module


@pytest.mark.parametrize("job", JOBS)
def test_symbol_without_quiet_zone_is_read_where_it_stands(readers: Readers, job: str) -> None:
    image = drawn(segno.make_qr("TIGHT CROP", version=2), 4, 0)
    (reading,) = JOBS[job](readers, image, "upload")
    assert reading.payload == b"TIGHT CROP"
    assert _distance(reading.points, _corners(25, 0, 4)) < 4


@pytest.mark.parametrize("job", ["wechat", "wechat-plain"])
def test_tiny_image_is_enlarged_and_its_points_come_back(readers: Readers, job: str) -> None:
    """One pixel a module and no quiet zone: 21 pixels a side, where the class itself reads nothing."""
    image = drawn(segno.make_qr("TINY", version=1), 1, 0)
    assert readers.wechat.detect(image) == []
    (reading,) = JOBS[job](readers, image, "upload")
    assert reading.payload == b"TINY"
    assert _distance(reading.points, _corners(21, 0, 1)) < 2


def test_inverted_symbol_is_read(readers: Readers) -> None:
    (reading,) = jobs.zxing(readers, 255 - SAMPLES["ascii"].image, "upload")
    assert reading.payload == SAMPLES["ascii"].payload


def test_several_symbols_in_one_image(readers: Readers) -> None:
    left, right = (drawn(segno.make_qr(text, version=1)) for text in ("LEFT", "RIGHT"))
    readings = jobs.zxing(readers, np.hstack([left, right]), "upload")
    found = {reading.payload: reading.points[0][0] for reading in readings}
    assert set(found) == {b"LEFT", b"RIGHT"}
    assert found[b"LEFT"] < left.shape[1] < found[b"RIGHT"]


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (20, 20), (21, 20), (64, 64)])
def test_image_without_symbol_gives_nothing(readers: Readers, job: str, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    assert JOBS[job](readers, noise, "upload") == []


def test_without_nets_wechat_still_reads_and_says_so() -> None:
    bare = Readers(None)
    assert not jobs.has_nets(bare)
    assert [r.payload for r in jobs.wechat(bare, SAMPLES["ascii"].image, "upload")] == [
        SAMPLES["ascii"].payload
    ]


def test_with_nets_it_says_so(readers: Readers) -> None:
    assert jobs.has_nets(readers)


def test_missing_nets_are_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(WeChatUnavailableError, match="missing"):
        WeChatReader(WeChatFiles.in_folder(tmp_path))


def test_damaged_nets_are_not_passed_over(tmp_path: Path, wechat_files: WeChatFiles) -> None:
    for name in ("detect.prototxt", "detect.caffemodel", "sr.prototxt", "sr.caffemodel"):
        (tmp_path / name).write_bytes((wechat_files.sr_prototxt.parent / name).read_bytes()[:1000])
    with pytest.raises(WeChatUnavailableError, match="cannot load"):
        WeChatReader(WeChatFiles.in_folder(tmp_path))


def test_newer_opencv_is_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, wechat_files: WeChatFiles
) -> None:
    monkeypatch.setattr(cv2, "__version__", "5.0.0")
    with pytest.raises(WeChatUnavailableError, match=r"OpenCV 5\.0\.0"):
        WeChatReader(wechat_files)


@pytest.mark.parametrize("name", ["issue940.png", "high-res-1.jpg", "qr-model-1.png"])
def test_photographs_that_zxing_reads_as_they_are(readers: Readers, shared: Path, name: str) -> None:
    """Two symbols of Model 1, and one whose dark frame does not survive a quiet zone around the picture."""
    image = cv2.imread(str(shared / "photos" / "zxing-cpp_qrcode-2" / name), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert len(jobs.zxing(readers, np.asarray(image, np.uint8), "upload")) == 1
