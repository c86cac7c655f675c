"""The misread bounds against counts of random words and exact spheres."""

from math import comb, log

import numpy as np
import pytest

from service.decoding.soft import acceptance, reed_solomon


def bound(weights: np.ndarray, wrong: np.ndarray, checks: int) -> float:
    return float(acceptance.log_misread_bounds(weights[None], wrong[None], checks)[0])


def test_no_code_word_comes_nearer_to_noise_than_the_bound_says() -> None:
    """All 65,536 words of a (9, 2) code against many random receptions."""
    rng = np.random.default_rng(4)
    data = np.stack(np.divmod(np.arange(65536), 256), axis=1).astype(np.uint8)
    code = np.unpackbits(reed_solomon.encode(data, 7), axis=1).astype(np.float32)
    nearest = []
    for _ in range(150):
        llr = rng.normal(size=72).astype(np.float32) * 2
        distance = llr[llr > 0].sum() - code @ llr
        word = code[int(distance.argmin())].astype(bool)
        wrong = word != (llr > 0)
        assert np.abs(llr)[wrong].sum() == pytest.approx(float(distance.min()), abs=1e-3)
        weights = np.abs(llr).reshape(9, 8).astype(np.float64)
        nearest.append(bound(weights, wrong.reshape(9, 8), 7))
    # A bound on a probability: that it falls below q must not happen more often than in a share q of all trials.
    for share in (0.02, 0.1, 0.3):
        assert np.mean(np.array(nearest) < log(share)) <= share + 2 * (share / 150) ** 0.5


def test_the_scale_of_the_reliabilities_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    weights = np.abs(rng.normal(size=(30, 8))) + 0.1
    wrong = weights < 0.2
    assert bound(weights, wrong, 12) == pytest.approx(bound(weights * 37, wrong, 12), rel=1e-6)


@pytest.mark.parametrize(
    ("length", "checks", "errors"), [(26, 7, 2), (26, 10, 4), (44, 16, 8), (134, 26, 13)]
)
def test_errors_in_sure_codewords_are_bounded_by_the_spheres_volume(
    length: int, checks: int, errors: int
) -> None:
    weights = np.full((length, 8), 8.0)
    wrong = np.zeros((length, 8), dtype=bool)
    wrong[-errors:, ::2] = True
    sphere = sum(comb(length, i) * 255**i for i in range(errors + 1)) / 256**checks
    assert bound(weights, wrong, checks) <= log(3 * sphere) + 1e-9
    assert bound(weights, wrong, checks) >= log(sphere)


def test_spending_all_redundancy_on_erasures_proves_nothing() -> None:
    weights = np.full((26, 8), 12.0)
    wrong = np.zeros((26, 8), dtype=bool)
    bounds = []
    for erased in range(8):
        weights[:erased] = 0.0
        bounds.append(bound(weights, wrong, 7))
    assert bounds == sorted(bounds)
    assert bounds[-1] == 0.0
    # Each erased codeword costs its eight bits.
    assert bounds[3] - bounds[2] == pytest.approx(8 * log(2), rel=0.1)
    # What is known shortens the code: it spares its own doubt and is no evidence for the rest.
    weights[:7] = np.inf
    assert bound(weights, wrong, 7) == pytest.approx(bounds[0], abs=0.1)


def test_nothing_received_proves_nothing() -> None:
    assert bound(np.zeros((26, 8)), np.zeros((26, 8), dtype=bool), 17) == 0.0


def test_absent_and_known_codewords_are_no_evidence() -> None:
    weights = np.full((27, 8), 5.0)
    weights[0] = np.inf
    wrong = np.zeros((27, 8), dtype=bool)
    wrong[5:9, 0] = True
    with_absent = bound(weights, wrong, 10)
    assert with_absent >= bound(weights[1:], wrong[1:], 10) - 1e-9


def test_expected_words_tell_whether_there_is_anything_to_decode() -> None:
    weights = np.zeros((1, 26, 8))
    assert acceptance.log_expected_words(weights, 7)[0] == pytest.approx((26 - 7) * 8 * log(2))
    weights[:] = 30.0
    assert acceptance.log_expected_words(weights, 7)[0] == pytest.approx(-56 * log(2), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_counted_words_are_those_that_exist(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = np.full((3, 8), np.inf)
    weights[:2] = rng.gamma(1.5, size=(2, 8))
    wrong = np.zeros((3, 8), bool)
    wrong[:2] = rng.random((2, 8)) < 0.3
    discrepancy = weights[wrong].sum()
    given = weights[:2].ravel()
    patterns = (np.arange(2**16)[:, None] >> np.arange(16)) & 1
    exact = log(int((patterns @ given <= discrepancy + 1e-12).sum()))
    counted = acceptance.log_counted_bound(weights, wrong, 0) - log(3)
    assert exact - 1e-9 <= counted <= exact + 0.1
    assert acceptance.log_counted_bound(weights, wrong, 1) == pytest.approx(counted + log(3) - 8 * log(2))


def test_counting_words_is_sharper_than_the_estimate_of_their_number() -> None:
    rng = np.random.default_rng(5)
    weights = rng.gamma(2.0, size=(44, 8))
    wrong = np.zeros((44, 8), bool)
    wrong.ravel()[np.argsort(weights.ravel())[:60:2]] = True
    estimated, counted = bound(weights, wrong, 18), acceptance.log_counted_bound(weights, wrong, 18)
    assert -200 < counted < estimated - 1


def test_counting_proves_nothing_of_a_word_that_agrees_with_every_bit() -> None:
    assert acceptance.log_counted_bound(np.ones((4, 8)), np.zeros((4, 8), bool), 2) == float("inf")
