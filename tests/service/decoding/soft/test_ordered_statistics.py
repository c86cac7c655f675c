"""Ordered statistics find the likeliest of the patterns they search, and more than erasing codewords does."""

from itertools import combinations

import numpy as np
import pytest

from service.decoding.soft import ordered_statistics, reed_solomon
from tests.service.decoding.soft.modules import noisy


def received(length: int, data: int, error_rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    word = reed_solomon.encode(rng.integers(0, 256, (1, data), dtype=np.uint8), length - data)
    bits = np.unpackbits(word[0]).astype(bool)
    return bits, noisy(bits, error_rate, rng)


def cost(word: np.ndarray, llr: np.ndarray) -> float:
    return float(np.abs(llr)[word != (llr > 0)].sum())


def is_code_word(bits: np.ndarray, checks: int) -> bool:
    return not reed_solomon.syndromes(np.packbits(bits)[None], checks).any()


def test_checks_are_solved_for_the_least_reliable_bits() -> None:
    bits, llr = received(26, 16, 0.05, 1)
    (reduced,) = ordered_statistics.reduced_checks(llr[None], 10)
    assert len(set(reduced.solved.tolist())) == 80
    assert not set(reduced.solved.tolist()) & set(reduced.guessed.tolist())
    # Any word that meets the checks as reduced is a code word, the sent one among them.
    wrong = bits != (llr > 0)
    fails = (reduced.failed + reduced.parts @ wrong[reduced.guessed].astype(int)) % 2
    np.testing.assert_array_equal(fails.astype(bool), wrong[reduced.solved])
    assert reduced.solved_weights.mean() < reduced.guessed_weights.mean()


def test_order_two_is_the_best_of_all_patterns_of_at_most_two() -> None:
    _, llr = received(26, 9, 0.17, 2)
    (reduced,) = ordered_statistics.reduced_checks(llr[None], 17)
    found = ordered_statistics.order_two(reduced)
    places = range(len(reduced.guessed))
    patterns = [(), *((i,) for i in places), *combinations(places, 2)]
    best = np.inf
    for pattern in patterns:
        chosen = list(pattern)
        fails = (reduced.failed + reduced.parts[:, chosen].sum(axis=1)) % 2
        best = min(best, float(fails @ reduced.solved_weights + reduced.guessed_weights[chosen].sum()))
    assert is_code_word(found, 17)
    assert cost(found, llr) == pytest.approx(best, rel=1e-4)


def test_order_four_finds_code_words_and_no_costlier_ones_over_more_bands() -> None:
    better = 0
    for seed in range(12):
        bits, llr = received(33, 11, 0.13, seed)
        (reduced,) = ordered_statistics.reduced_checks(llr[None], 22)
        words = [ordered_statistics.order_four(reduced, band) for band in range(3)]
        found = [word for word in words if word is not None]
        assert all(is_code_word(word, 22) for word in found)
        better += any((word == bits).all() for word in found)
    assert better >= 4
    assert ordered_statistics.order_four(reduced, 99) is None


def test_reads_where_erasing_codewords_does_not() -> None:
    ordered = erased = 0
    for seed in range(10):
        bits, llr = received(44, 28, 0.05, 100 + seed)
        (reduced,) = ordered_statistics.reduced_checks(llr[None], 16)
        ordered += bool((ordered_statistics.order_two(reduced) == bits).all())
        reliability = np.abs(llr).reshape(44, 8).min(axis=1)
        rank = np.argsort(np.argsort(reliability))
        numbers = np.arange(0, 17, 2)
        words = np.repeat(np.packbits(llr > 0)[None], len(numbers), axis=0)
        corrected, right = reed_solomon.correct(words, rank[None] < numbers[:, None], 16)
        erased += bool((right & (corrected == np.packbits(bits)).all(axis=1)).any())
    assert ordered >= 9
    assert erased <= 3
