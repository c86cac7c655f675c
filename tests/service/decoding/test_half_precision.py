"""Half precision: OpenCV's bits against NumPy's."""

import numpy as np
import pytest

from service.decoding.half_precision import from_half, to_half


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_both_ways_give_numpys_bits() -> None:
    rng = np.random.default_rng(5)
    values = (rng.normal(size=(96, 160)) * 10.0 ** rng.integers(-8, 6, (96, 160))).astype(np.float32)
    values[0, :4] = 0.0, -0.0, np.inf, 65_520.0
    half = to_half(values)
    np.testing.assert_array_equal(half.view(np.uint16), values.astype(np.float16).view(np.uint16))
    np.testing.assert_array_equal(from_half(half), half.astype(np.float32))


def test_parts_of_a_picture_are_converted_too() -> None:
    values = np.arange(64, dtype=np.float32).reshape(8, 8)
    half = to_half(values[1:7, 2:5])
    np.testing.assert_array_equal(half, values[1:7, 2:5].astype(np.float16))
    np.testing.assert_array_equal(from_half(half[::2, 1:]), values[1:7:2, 3:5])
