"""Which generator of a run against a discriminator is kept, and when the run is over."""

from training.picture_quality import Quality
from training.stopping import BestSoFar


def _kept(*history: Quality) -> list[bool]:
    best = BestSoFar(crops=240)
    return [best.add(quality) for quality in history]


def test_the_least_perceptual_distance_is_kept() -> None:
    assert _kept(Quality(0.8, 3.0), Quality(0.8, 2.5), Quality(0.8, 2.7), Quality(0.8, 2.4)) == [
        True,
        True,
        False,
        True,
    ]


def test_pictures_that_look_better_and_read_worse_are_not_kept() -> None:
    # Two standard errors of the difference at .8 on 240 crops: 2 sqrt(2 * .8 * .2 / 240) = .073.
    assert _kept(Quality(0.8, 3.0), Quality(0.72, 2.0), Quality(0.73, 2.5)) == [True, False, True]


def test_validations_without_a_better_picture_are_counted_from_the_best() -> None:
    best = BestSoFar(crops=240)
    for distance in (3.0, 2.0, 2.5, 2.2):
        best.add(Quality(0.8, distance))
    assert best.stale() == 2
