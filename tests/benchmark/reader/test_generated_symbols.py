"""What the stages are measured on: a generator's logits, and the truth about them."""

from itertools import islice

import numpy as np
import pytest

from benchmark.comparison.options import newest_generator
from benchmark.comparison.upscalers import generator_file
from benchmark.reader.generated_symbols import Generated, generated_symbols
from benchmark.reader.stages import payload_of
from scoring.known_symbols import true_means


def _symbols(count: int, seed: int) -> list[Generated]:
    folder = newest_generator()
    assert folder is not None
    file = generator_file(folder)
    return list(islice(generated_symbols(file, "camera", 2.0, 99, seed), count))


@pytest.mark.slow
def test_logits_at_the_true_centres_say_what_the_modules_are() -> None:
    for symbol in _symbols(6, 1):
        wrong = (true_means(symbol.truth) < 0) != symbol.truth.modules
        assert wrong.mean() < 0.02
        assert payload_of(symbol.truth) == symbol.payload
        assert symbol.sr.shape == symbol.truth.logits.shape == tuple(4 * side for side in symbol.lr.shape)


@pytest.mark.parametrize("seed", [1, 2])
def test_pictures_follow_from_the_seed(seed: int) -> None:
    (once,), (again,) = _symbols(1, seed), _symbols(1, seed)
    assert np.array_equal(once.lr, again.lr)
    assert once.payload != _symbols(1, seed + 1)[0].payload
