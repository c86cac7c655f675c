"""Processes of the benchmark: any job with any argument, of any size."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.comparison.processes import PickledProcess
from service.decoding.processes.errors import JobFailedError, ProcessDiedError

pytestmark = pytest.mark.processes


def scaled(factor: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values * factor


def fail(_: int) -> None:
    raise ValueError("a reason")


def test_a_picture_larger_than_a_message_of_the_services_may_be() -> None:
    process = PickledProcess(int, "3")
    try:
        process.ready()
        large = np.full((2_500, 2_500), 0.5, np.float32)
        np.testing.assert_array_equal(process.call(scaled, large, limit=20.0), 3 * large)
    finally:
        process.close()


def test_what_a_job_raised_and_a_context_that_cannot_be_built() -> None:
    process = PickledProcess(int, "3")
    try:
        process.ready()
        with pytest.raises(JobFailedError, match="ValueError"):
            process.call(fail, limit=5.0)
    finally:
        process.close()
    broken = PickledProcess(int, "none")
    try:
        with pytest.raises(ProcessDiedError):
            broken.ready()
    finally:
        broken.close()
