"""Errors-and-erasures decoding does all that the code allows and nothing beyond."""

import numpy as np
import pytest

from service.decoding.soft import reed_solomon

CODES = [(26, 19), (26, 9), (44, 28), (70, 55), (134, 108), (33, 11), (153, 123)]


def damaged(
    words: np.ndarray, errors: np.ndarray, erasures: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    received, erased = words.copy(), np.zeros(words.shape, dtype=bool)
    for row, (wrong, lost) in enumerate(zip(errors, erasures, strict=True)):
        places = rng.permutation(words.shape[1])[: wrong + lost]
        received[row, places[:wrong]] ^= rng.integers(1, 256, wrong, dtype=np.uint8)
        received[row, places[wrong:]] = rng.integers(0, 256, lost, dtype=np.uint8)
        erased[row, places[wrong:]] = True
    return received, erased


@pytest.mark.parametrize(("length", "data"), CODES)
def test_corrects_all_that_the_distance_allows(length: int, data: int) -> None:
    rng = np.random.default_rng(length)
    checks = length - data
    words = reed_solomon.encode(rng.integers(0, 256, (120, data), dtype=np.uint8), checks)
    assert not reed_solomon.syndromes(words, checks).any()
    erasures = rng.integers(0, checks + 1, 120)
    errors = (checks - erasures) // 2
    received, erased = damaged(words, errors, erasures, rng)
    corrected, right = reed_solomon.correct(received, erased, checks)
    assert right.all()
    np.testing.assert_array_equal(corrected, words)


@pytest.mark.parametrize(("length", "data"), CODES)
def test_what_it_calls_right_is_a_code_word_within_reach(length: int, data: int) -> None:
    rng = np.random.default_rng(data)
    checks = length - data
    words = reed_solomon.encode(rng.integers(0, 256, (200, data), dtype=np.uint8), checks)
    erasures = rng.integers(0, checks + 1, 200)
    errors = np.minimum((checks - erasures) // 2 + rng.integers(1, 4, 200), length - erasures)
    received, erased = damaged(words, errors, erasures, rng)
    corrected, right = reed_solomon.correct(received, erased, checks)
    assert not (corrected[right] == words[right]).all(axis=1).any()
    assert not reed_solomon.syndromes(corrected[right], checks).any()
    changed = ((corrected != received) & ~erased).sum(axis=1)
    assert (2 * changed[right] + erasures[right] <= checks).all()
    np.testing.assert_array_equal(corrected[~right], received[~right])


def test_more_erasures_than_checks_are_refused() -> None:
    word = reed_solomon.encode(np.arange(19, dtype=np.uint8)[None], 7)
    erased = np.zeros((1, 26), dtype=bool)
    erased[0, :8] = True
    word[0, :8] ^= 1
    assert not reed_solomon.correct(word, erased, 7)[1][0]


def test_the_field_is_that_of_the_standard() -> None:
    tables = reed_solomon.field()
    # x * x^7 = x^8 = x^4 + x^3 + x^2 + 1
    assert tables.product[2, 128] == 0x1D
    values = np.arange(1, 256)
    assert (tables.product[values, tables.inverse[values]] == 1).all()
    assert sorted(tables.exp[:255].tolist()) == values.tolist()
