"""Format and version information by maximum likelihood."""

import numpy as np
import pytest

from service.decoding.soft.format_information import format_hypotheses, version_hypotheses
from tests.service.decoding.soft.modules import clear, segno_modules


@pytest.mark.parametrize("level", "LMQH")
@pytest.mark.parametrize("mask", range(8))
def test_clean_format_information(level: str, mask: int) -> None:
    found = format_hypotheses(clear(segno_modules("1", version=2, error=level.lower(), mask=mask)))
    assert (found[0].level, found[0].mask) == (level, mask)
    assert len({(word.level, word.mask) for word in found}) == 32
    # The code's distance is 5, twice as each word is there twice, and every bit weighs 6 nats.
    assert found[0].margin == pytest.approx(2 * 5 * 6.0, rel=0.5)
    assert found[0].margin >= 2 * 5 * 6.0
    assert found[0].contradicted == 0
    assert all(word.margin < 0 for word in found[1:])
    assert found[0].log_likelihood == pytest.approx(30 * np.log(2), abs=0.1)


def test_one_copy_is_enough_and_unsure_errors_do_not_matter() -> None:
    dark = segno_modules("1", version=7, error="h", mask=6)
    llr = clear(dark)
    llr[:9, :9] = 0
    assert (format_hypotheses(llr)[0].level, format_hypotheses(llr)[0].mask) == ("H", 6)
    llr = clear(dark)
    llr[8, :] *= -0.2
    best = format_hypotheses(llr)[0]
    assert (best.level, best.mask) == ("H", 6)
    assert best.contradicted > 10


def test_nothing_known_is_no_better_than_chance() -> None:
    found = format_hypotheses(np.zeros((21, 21), dtype=np.float32))
    assert found[0].log_likelihood == pytest.approx(0.0, abs=1e-6)
    assert found[0].margin == 0


@pytest.mark.parametrize("version", range(7, 41))
def test_version_information(version: int) -> None:
    llr = clear(segno_modules("1", version=version, error="l"))
    rng = np.random.default_rng(version)
    llr[-11:-8, :6] *= np.where(rng.random((3, 6)) < 0.3, -0.5, 1)
    found = version_hypotheses(llr)
    assert found[0].version == version
    assert found[0].margin > 0 > found[1].margin
    assert len(found) == 34


def test_small_symbols_have_no_version_information() -> None:
    assert version_hypotheses(np.zeros((41, 41), dtype=np.float32)) == []
    with pytest.raises(ValueError, match="modules a side"):
        version_hypotheses(np.zeros((40, 40), dtype=np.float32))
