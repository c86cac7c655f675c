"""The budget of the soft-decision reader, without any picture."""

import time

import pytest

from service.decoding.soft.effort import Effort


def lasting(work: float) -> Effort:
    """A budget whose clock does not matter."""
    return Effort(work, time.monotonic() + 3600)


def test_it_is_exhausted_when_all_work_is_spent() -> None:
    effort = lasting(10)
    effort.spend(9.9)
    assert not effort.exhausted
    effort.spend(0.1)
    assert effort.exhausted


def test_it_is_exhausted_when_its_time_is_over() -> None:
    assert Effort(10, time.monotonic() - 1).exhausted


@pytest.mark.parametrize(
    ("allowances", "enough"), [([], 10.0), ([5.0], 15.0), ([5.0, 3.0], 15.0), ([3.0, 5.0], 15.0)]
)
def test_the_largest_allowance_comes_on_top_of_what_was_granted(
    allowances: list[float], enough: float
) -> None:
    effort = lasting(10)
    for more in allowances:
        effort.allow(more)
    effort.spend(enough - 0.1)
    assert not effort.exhausted
    effort.spend(0.2)
    assert effort.exhausted


def test_an_allowance_revives_a_spent_budget() -> None:
    effort = lasting(10)
    effort.spend(12)
    effort.allow(5)
    assert not effort.exhausted


def test_a_part_is_a_share_of_what_is_left_and_spends_from_the_whole() -> None:
    effort = lasting(10)
    effort.spend(2)
    part = effort.part(0.5)
    part.spend(4)
    assert (part.exhausted, effort.exhausted) == (True, False)
    part.spend(4)
    assert effort.exhausted
