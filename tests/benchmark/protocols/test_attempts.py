"""The order of attempts, from outcomes and times made up for it."""

from benchmark.comparison.candidates import CANDIDATES
from benchmark.comparison.results import Results
from benchmark.protocols.attempts import arm_of, as_served, attempts_report, by_gain
from service.decoding.cascade import ATTEMPTS


def _results(read: dict[str, str], cost: dict[str, float], enlarging: float) -> Results:
    """`read` and `cost` by attempt; an attempt that is not named reads nothing and takes a second."""
    arms = {attempt.name: str(arm_of(attempt)) for attempt in CANDIDATES}
    count = len(next(iter(read.values())))
    each = {arm: [cost.get(name, 1000.0)] * count for name, arm in arms.items()}
    enlarge = {"lr|ours|enlarging": enlarging, "lr|draft|enlarging": enlarging / 3}
    each |= {arm: [milliseconds] * count for arm, milliseconds in enlarge.items()}
    return Results(
        "attempts", "command", 1, {}, [f"crop-{i}" for i in range(count)],
        dict.fromkeys(enlarge, "." * count) | {arm: read.get(name, "." * count) for name, arm in arms.items()},
        {arm: {"mean": milliseconds} for arm, milliseconds in enlarge.items()},
        details={"what": f"{count} crops.", "each": each},
    )  # fmt: skip


def test_order_by_gain_charges_enlarging_once_and_counts_only_what_is_left() -> None:
    results = _results(
        {"zxing": "rr......", "sr-zxing": "rrrr....", "soft": "rrrrrr..", "wechat": "rrr....."},
        {"zxing": 1.0, "sr-zxing": 1.0, "soft": 20.0, "wechat": 100.0},
        enlarging=9.0,
    )
    first, second, third, *others = by_gain(results)
    # 2 of 8 crops in 8 ms; then 2 of the 6 left at 1 + 9 ms each; then 2 of the 4 left at 20 ms.
    assert (first.attempt, first.first, first.milliseconds, first.gain) == ("zxing", 2, 1.0, 250.0)
    assert (second.attempt, second.first, second.milliseconds) == ("sr-zxing", 2, 10.0)
    assert second.gain == 2 / (6 * 0.010)
    assert (third.attempt, third.first, third.milliseconds, third.gain) == ("soft", 2, 20.0, 2 / (4 * 0.020))
    assert all(step.first == 0 for step in others)
    assert (second.read, third.read) == (0.5, 0.75)


def test_the_draft_and_the_generator_are_charged_where_each_is_needed_first() -> None:
    results = _results(
        {"draft-zxing": "rr....", "sr-zxing": "rrrr..", "soft": "rrrrrr"},
        {"zxing": 1.0, "draft-zxing": 1.0, "sr-zxing": 1.0, "soft": 20.0},
        enlarging=9.0,
    )
    steps = {step.attempt: step for step in as_served(results)}
    assert (steps["draft-zxing"].milliseconds, steps["draft-zxing"].first) == (1 + 3, 2)
    assert (steps["sr-zxing"].milliseconds, steps["sr-zxing"].first) == (1 + 9, 2)
    assert (steps["soft"].milliseconds, steps["soft"].first) == (20, 2)


def test_the_served_order_is_the_cascades() -> None:
    results = _results({"zxing": "r.", "soft": "rr"}, {}, enlarging=5.0)
    steps = as_served(results)
    assert [step.attempt for step in steps] == [attempt.name for attempt in ATTEMPTS]
    assert [step.first for step in steps] == [1, 0, 0, 1, 0, 0]
    assert "| zxing | .500 | 1 (50.0 %) | 1000.0 | 0.50 |" in attempts_report(results)
