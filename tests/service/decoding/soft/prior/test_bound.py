"""The bound on misreads with a payload model, counted over every word of small codes."""

from math import log

import numpy as np
import pytest
from numpy.typing import NDArray

from service.decoding.soft import reed_solomon
from service.decoding.soft.prior.joint import log_block_bound, log_chance_of_checks

Floats = NDArray[np.float64]


def patterns(bits: int) -> NDArray[np.uint8]:
    return ((np.arange(2**bits)[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)


def chances(llr: Floats) -> Floats:
    """`log_chance_of_checks` of all 256 patterns of one check codeword."""
    wrong = patterns(8).astype(bool) != (llr > 0)
    return np.array([log_chance_of_checks(np.abs(llr)[None], one[None]) for one in wrong])


def words_accepted(share: Floats, log_chance: Floats, limit: float) -> float:
    """Expected number of words accepted whose check codeword is any of 256, each as likely."""
    accepted = np.sort(log_chance)
    number = np.searchsorted(accepted, log(limit) + np.log(share), side="right")
    return float(number.sum()) / 256


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_chance_of_checks_is_never_below_the_count_of_all_patterns(scale: float) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        llr = rng.gamma(1.0, scale, size=8) * rng.choice([-1, 1], 8)
        log_chance = chances(llr)
        discrepancy = (patterns(8) != (llr > 0)) @ np.abs(llr)
        exact = [log(float((discrepancy <= one + 1e-12).mean())) for one in discrepancy]
        assert (log_chance >= np.array(exact) - 1e-9).all()


@pytest.mark.parametrize("skew", [0.0, 1.0, 6.0])
def test_wrong_words_are_no_more_often_accepted_than_the_limit_says_whatever_the_prior(skew: float) -> None:
    """All 65,536 messages of two codewords against all 256 check codewords, for priors from even to absurd."""
    rng = np.random.default_rng(int(skew))
    for limit in (0.003, 0.03, 0.3):
        llr = rng.normal(size=8) * rng.choice([0.5, 2.0, 8.0])
        share = rng.gamma(1 / (1 + skew**3), size=65536) + 1e-300
        share /= share.sum()
        assert words_accepted(share, chances(llr), limit) <= limit


def test_a_certain_prior_still_asks_for_the_limit_of_evidence() -> None:
    """A list of one word is no reason to believe it: one in so many receptions of nothing would agree by chance."""
    llr = np.full(8, 9.0)
    log_chance = chances(llr)
    accepted = sum(log_block_bound(one, 0.0) <= log(0.01) for one in log_chance.tolist())
    assert accepted / 256 <= 0.01
    assert accepted >= 1
    assert log_block_bound(float(log_chance.min()), 0.0) == pytest.approx(-8 * log(2), abs=0.02)
    assert log_block_bound(float(log_chance.min()), log(0.5)) == pytest.approx(-7 * log(2), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("printed", [False, True])
def test_no_word_of_a_code_is_accepted_more_often_than_the_limit_says(printed: bool) -> None:
    """All 65,536 words of a (9, 2) code; the prior favours words one character off the printed one, and noise.

    The check bits are received badly, or no wrong word would ever come near.
    """
    rng = np.random.default_rng(11 + printed)
    data = np.stack(np.divmod(np.arange(65536), 256), axis=1).astype(np.uint8)
    code = np.unpackbits(reed_solomon.encode(data, 7), axis=1)
    ones = code.astype(np.float32)
    limits = np.array([0.02, 0.1, 0.3])
    wrong = np.zeros(3)
    trials = 160
    for _ in range(trials):
        favourite = int(rng.integers(65536))
        weight = np.full(65536, 1e-9)
        near = (data == data[favourite]).any(axis=1)
        weight[near] = 1.0 / near.sum()
        amplitude = np.where(np.arange(72) < 16, 0.6, rng.choice([0.15, 0.3]))
        sent = np.where(code[favourite] == 1, amplitude, -amplitude) if printed else 0.0
        llr = 2 * amplitude * (sent + rng.normal(size=72))
        # But for a constant, the logarithm of the likelihood is the sum of the ratios of the bits that are 1.
        log_share = np.log(weight) + ones[:, :16] @ llr[:16]
        log_share -= np.logaddexp.reduce(log_share)
        checks = code[:, 16:].reshape(-1, 7, 8)
        # Only words that both the prior and the checks speak for can have a small bound.
        best = np.argsort(log_share + ones[:, 16:] @ llr[16:])[-20:]
        bounds = []
        for word in best.tolist():
            if printed and word == favourite:
                continue
            missed = (checks[word] == 1) != (llr[16:].reshape(7, 8) > 0)
            log_chance = log_chance_of_checks(np.abs(llr[16:]).reshape(7, 8), missed)
            bounds.append(log_block_bound(log_chance, float(log_share[word])))
        wrong += min(bounds) <= np.log(limits)
    assert (wrong / trials <= limits + 2 * np.sqrt(limits / trials)).all()
    # Or the trial would show nothing.
    assert wrong[-1] > 0
