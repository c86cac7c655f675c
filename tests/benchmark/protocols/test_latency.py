"""Latency: the pictures are what their kinds say, and the table follows from known times."""

import numpy as np
import pytest

from benchmark.comparison.results import Results
from benchmark.protocols.latency import DECODE_ARM, WECHAT_ARM, latency_report
from benchmark.sets.latency import EASY, KINDS, LatencyItem, latency_items


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_of_their_size_and_follow_from_the_seed(kind: str) -> None:
    pictures, truth = LatencyItem(kind, 3, 0, ()).draw()
    lr = pictures["lr"]
    assert bool(truth) == ("px" in kind)
    side = 256 if "256" in kind else 128
    assert lr.shape == (side, side) if not truth else 20 < max(lr.shape) < 190
    assert np.array_equal(LatencyItem(kind, 3, 0, ()).draw()[0]["lr"], lr)
    assert not np.array_equal(LatencyItem(kind, 3, 1, ()).draw()[0]["lr"], lr)


def test_kinds_take_turns() -> None:
    items = latency_items(2, 0, (DECODE_ARM,))
    assert [item.kind for item in items] == [*KINDS, *KINDS]


def test_the_table_shows_medians_and_their_ratio() -> None:
    easy, hard = EASY[0], "noise, 128x128"
    results = Results(
        "latency", "command", 0, {}, ["a", "b", "c", "d"],
        {str(WECHAT_ARM): "r.r.", str(DECODE_ARM): "r.r."}, {},
        details={"kinds": [easy, hard, easy, hard],
                 "each": {str(WECHAT_ARM): [10.0, 2.0, 30.0, 2.0], str(DECODE_ARM): [4.0, 300.0, 6.0, 500.0]}},
    )  # fmt: skip
    text = latency_report(results)
    assert f"| {easy} | 2 of 2 | 5.0 | 5.9 | 6.0 | 20.0 | 0.25 |" in text
    assert f"| {hard} | 0 of 2 | 400.0 | 490.0 | 500.0 | 2.0 | 200.00 |" in text
    assert "5.0 ms against WeChat's 20.0, ratio 0.25" in text
    assert f"Hardest kind: {hard}, 400 ms." in text
