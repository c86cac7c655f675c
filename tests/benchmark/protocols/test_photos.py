"""Photographs: the index, and locating symbols whose place is known."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmark.sets import photos
from benchmark.sets.middle_photos import PIXELS, QUALITIES, middle_items
from scoring.scenes import Look, Place, corners_of, draw, homography, project
from scoring.symbols import draw_symbol
from service.decoding.cascade import LARGE, SMALL
from service.decoding.wechat import WeChatReader


def _photograph(folder: Path) -> tuple[photos.Photo, np.ndarray, int]:
    """A slanted symbol of version 4, its corners in the picture with pixel centres at whole numbers."""
    symbol = draw_symbol(4, np.random.default_rng(3))
    corners = np.array([[110.0, 60.0], [305.0, 80.0], [320.0, 270.0], [95.0, 255.0]])
    place = Place(homography(corners_of(symbol.size), corners))
    table = np.full((340, 420), 0.4, np.float32)
    picture = draw(symbol, Look(), place, table.shape, table, 3)
    cv2.imwrite(str(folder / "one.png"), np.rint(picture * 255))
    photo = photos.Photo(path="one.png", payload=symbol.payload.decode())
    return photo, project(place.to_picture, corners_of(symbol.size)) - 0.5, symbol.version


def test_symbols_are_found_where_they_are(tmp_path: Path) -> None:
    photo, corners, version = _photograph(tmp_path)
    image = photos.load(tmp_path / photo.path)
    found = photos.locate(photos.luma(image), photo.payload, WeChatReader(None))
    assert found is not None
    assert found.version == version
    assert np.abs(np.array(found.corners) - corners).max() < 2.5
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    assert found.px_per_module == pytest.approx(sides.mean() / 33, rel=0.015)


def test_crops_have_the_pixels_that_were_asked_for(tmp_path: Path) -> None:
    photo, corners, _ = _photograph(tmp_path)
    image = photos.load(tmp_path / photo.path)
    found = photos.locate(photos.luma(image), photo.payload, WeChatReader(None))
    assert found is not None
    crop = photos.reduced_crop(image, found, 2.0, 50)
    assert crop is not None
    # The symbol's extent and four modules on each side, at two pixels a module instead of the native number.
    extent = corners.max(axis=0) - corners.min(axis=0)
    expected = extent * 2.0 / found.px_per_module + 2 * 4 * 2.0
    assert np.array(crop.shape[::-1]) == pytest.approx(expected, abs=2)
    assert photos.reduced_crop(image, found, found.px_per_module + 0.1, 50) is None


def test_photographs_are_reduced_to_middle_size(tmp_path: Path) -> None:
    photo, _, _ = _photograph(tmp_path)
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((100, 100), np.uint8))
    lines = [json.dumps({"path": name, "payload": photo.payload}) for name in (photo.path, "small.png")]
    (tmp_path / "index.jsonl").write_text("\n".join(lines))
    items = middle_items(tmp_path, ())
    assert len(items) == len({item.name for item in items}) == len(PIXELS) * len(QUALITIES)
    for item in items:
        pictures, spellings = item.draw()
        assert pictures["lr"].size == pytest.approx(item.pixels, rel=0.01)
        assert SMALL < pictures["lr"].size <= LARGE
        assert photo.payload.encode() in spellings


def test_another_label_is_not_located(tmp_path: Path) -> None:
    photo, _, _ = _photograph(tmp_path)
    image = photos.luma(photos.load(tmp_path / photo.path))
    assert photos.locate(image, photo.payload + "x", WeChatReader(None)) is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "empty"),
        (["not json"], "line 1"),
        ([json.dumps({"path": "one.png"})], "line 1"),
        ([json.dumps({"path": "gone.png", "payload": "x"})], r"gone\.png is missing"),
    ],
)
def test_a_bad_index_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    (tmp_path / photos.INDEX).write_text("\n".join(lines))
    with pytest.raises(photos.PhotosError, match=message):
        photos.read_index(tmp_path)


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(photos.PhotosError, match=r"index\.jsonl is missing"):
        photos.read_index(tmp_path)


def test_labels_agree_in_any_character_set() -> None:
    assert photos.agrees("日本".encode("shift_jis"), "日本")
    assert photos.agrees("日本".encode(), "日本")
    assert not photos.agrees(b"nihon", "日本")
    assert photos.spellings("日本".encode("shift_jis"), "日本")[0] == "日本".encode("shift_jis")
    assert "日本".encode() in photos.spellings(b"", "日本")


@pytest.mark.shared
def test_the_measuring_photographs_are_located(shared: Path) -> None:
    found = photos.read_index(shared / "photos")
    chosen = found[:: len(found) // 8]
    located = 0
    for photo in chosen:
        image = photos.luma(photos.load(shared / "photos" / photo.path))
        located += photos.locate(image, photo.payload, WeChatReader(None)) is not None
    assert located >= len(chosen) - 1
