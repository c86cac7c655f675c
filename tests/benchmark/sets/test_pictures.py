"""The benchmark's symbols and pictures: right, repeatable, unlike the training data."""

import numpy as np
import pytest
import zxingcpp

from benchmark.comparison.arms import fingerprint
from benchmark.sets.paper import (
    FROZEN_SEED,
    LR_SIZE,
    SIZE,
    departures,
    frozen_fingerprints,
    paper_items,
)
from benchmark.sets.sweep import VERSIONS, SweepItem, sweep_items
from scoring.families import FAMILIES
from scoring.symbols import draw_symbol
from training.data import symbols as training_symbols

# Mean levels of the frozen set's first HR and LR pictures when it was frozen. Processors differ in single levels of
# single pixels, which leaves these alone; a changed recipe does not.
FROZEN_MEANS = [(145.28, 145.47), (168.88, 168.29), (196.53, 195.4), (84.49, 85.23), (159.36, 160.16)]


def _zxing(image: np.ndarray) -> list[bytes]:
    return [barcode.bytes for barcode in zxingcpp.read_barcodes(image) if barcode.valid]


@pytest.mark.parametrize("version", [1, 2, 7, 10])
def test_symbols_have_the_version_that_was_asked_for(version: int) -> None:
    symbol = draw_symbol(version, np.random.default_rng(version))
    assert symbol.size == 17 + 4 * version
    # A finder pattern's outer ring in the corner.
    assert symbol.modules[0, :7].all()
    assert symbol.modules[1, 1:6].sum() == 0


@pytest.mark.slow
def test_payloads_begin_as_no_training_payload_does() -> None:
    rng = np.random.default_rng(0)
    ours = {draw_symbol(int(rng.integers(1, 11)), rng).payload for _ in range(200)}
    starts = (b"https://qrb.example/", b"qb", b"QB-", b"0770")
    assert all(payload.startswith(starts) for payload in ours)
    theirs = set()
    for mode in ("alphanumeric", "url"):
        payload = training_symbols._payload(mode, 40, rng)
        theirs.add(payload.encode() if isinstance(payload, str) else payload)
    assert not any(payload.startswith((b"https://qrb.example/", b"qb", b"QB-")) for payload in theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_read_when_it_is_large(family: str) -> None:
    """Some symbol of each family says what it should at four pixels a module."""
    read = 0
    for index in range(4):
        pictures, truth = SweepItem(family, index, 4.0, 0).draw()
        assert pictures["lr"].dtype == np.uint8
        read += any(payload in truth for payload in _zxing(pictures["lr"]))
    assert read >= 1


@pytest.mark.parametrize("family", ["clean", "camera", "perspective"])
def test_pixels_per_module_are_what_they_are_called(family: str) -> None:
    measured = []
    for index in range(6):
        picture = SweepItem(family, index, 4.0, 1).draw()[0]["lr"]
        for barcode in zxingcpp.read_barcodes(picture):
            where = barcode.position
            points = [where.top_left, where.top_right, where.bottom_right, where.bottom_left]
            corners = np.array([(point.x, point.y) for point in points], float)
            sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
            measured.append(sides.mean() / (17 + 4 * VERSIONS[index]))
    assert len(measured) >= 3
    # zxing-cpp gives corners in whole pixels.
    assert np.median(measured) == pytest.approx(4.0, rel=0.03)


def test_the_axis_is_not_confounded_with_version() -> None:
    items = sweep_items(("clean",), (1.0, 2.0), 9, 0, ())
    by_point = {px: [item.draw()[1] for item in items if item.px_per_module == px] for px in (1.0, 2.0)}
    assert by_point[1.0] == by_point[2.0]
    sizes = [item.draw()[0]["lr"].shape[0] for item in items if item.px_per_module == 2.0]
    assert sizes == sorted(sizes)


def test_pictures_are_the_same_each_time_and_differ_between_seeds() -> None:
    item = SweepItem("low-light", 3, 1.5, 7)
    assert np.array_equal(item.draw()[0]["lr"], item.draw()[0]["lr"])
    assert not np.array_equal(item.draw()[0]["lr"], SweepItem("low-light", 3, 1.5, 8).draw()[0]["lr"])


def test_the_frozen_set_is_as_it_was() -> None:
    items = paper_items(len(FROZEN_MEANS), FROZEN_SEED, ())
    drawn = [item.draw()[0] for item in items]
    means = [(float(pictures["hr"].mean()), float(pictures["lr"].mean())) for pictures in drawn]
    assert np.array(means) == pytest.approx(np.array(FROZEN_MEANS), abs=0.05)
    assert drawn[0]["lr"].shape == (LR_SIZE, LR_SIZE)


def test_departures_from_the_frozen_set_are_counted() -> None:
    frozen = frozen_fingerprints()
    assert len(frozen) == SIZE
    assert len(set(frozen)) == SIZE
    assert departures(frozen[:5]) == 0
    assert departures([frozen[0], frozen[1] ^ 1, frozen[2]]) == 1
    assert departures([*frozen, 1]) == 1


def test_fingerprint_covers_every_picture() -> None:
    one, two = np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    assert fingerprint({"hr": one, "lr": two}) != fingerprint({"hr": two, "lr": one})
    assert fingerprint({"hr": one, "lr": two}) == fingerprint({"lr": two, "hr": one})
