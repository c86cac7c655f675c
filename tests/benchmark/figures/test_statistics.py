"""Intervals and tests against values computed by hand or by other means."""

from math import inf, isinf

import numpy as np
import pytest

from benchmark.figures.statistics import critical_point, crossing, difference, mcnemar, monotone, wilson


def test_wilson_interval_of_a_textbook_example() -> None:
    # 15 of 20: z = 1.96 gives .531 and .888 (Newcombe 1998's formula, worked by hand).
    found = wilson(15, 20)
    assert found.value == 0.75
    assert found.low == pytest.approx(0.5313, abs=5e-4)
    assert found.high == pytest.approx(0.8881, abs=5e-4)


def test_wilson_interval_is_open_to_one_side_at_the_ends() -> None:
    assert wilson(0, 10).low == 0
    # z² / (n + z²)
    assert wilson(0, 10).high == pytest.approx(3.8415 / 13.8415, abs=1e-4)
    assert wilson(0, 0).high == 1


def test_mcnemar_is_the_exact_binomial_test() -> None:
    # P(X <= 2) for 12 fair coins is (1 + 12 + 66) / 4096; twice that.
    assert mcnemar(10, 2) == pytest.approx(2 * 79 / 4096)
    assert mcnemar(2, 10) == mcnemar(10, 2)
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1


def test_monotone_pools_what_falls() -> None:
    fitted = monotone(np.array([0.1, 0.4, 0.2, 0.9]), np.ones(4))
    assert fitted == pytest.approx([0.1, 0.3, 0.3, 0.9])


def test_crossing_is_linear_between_points() -> None:
    axis = np.array([1.0, 2.0, 3.0])
    assert crossing(axis, np.array([0.0, 0.25, 0.75])) == pytest.approx(2.5)
    assert crossing(axis, np.array([0.6, 0.7, 1.0])) == 1.0
    assert isinf(crossing(axis, np.array([0.0, 0.1, 0.4])))


def test_critical_point_finds_the_threshold_of_simulated_symbols() -> None:
    axis = np.linspace(0.5, 3, 11)
    thresholds = np.random.default_rng(5).normal(1.6, 0.2, 300)
    found = critical_point(axis, axis[None, :] >= thresholds[:, None], seed=1)
    # The grid's step of 0.25 shifts a hard threshold by up to half of it.
    assert found.value == pytest.approx(1.6, abs=0.13)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.2


def test_critical_point_beyond_the_axis_is_infinite() -> None:
    assert critical_point(np.array([1.0, 2.0]), np.zeros((8, 2), bool), seed=1).low == inf


def test_difference_covers_the_paired_gap() -> None:
    ours, theirs = np.zeros(100, bool), np.zeros(100, bool)
    ours[:60], theirs[:45] = True, True
    found = difference(ours, theirs, seed=3)
    assert found.value == pytest.approx(0.15)
    # Standard error sqrt(.15 * .85 / 100) = .0357, twice that to each side.
    assert found.low == pytest.approx(0.08, abs=0.025)
    assert found.high == pytest.approx(0.22, abs=0.025)
    assert difference(ours, theirs, seed=3) == found
