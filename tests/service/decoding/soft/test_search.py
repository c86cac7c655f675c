"""Which grids are tried, and in which order."""

import time

import numpy as np
import pytest

from benchmark.reader.simulated_logits import Scene, simulate, symbol_modules
from scoring.known_symbols import Simulated
from service.decoding.soft.effort import Effort
from service.decoding.soft.finder import find_finders
from service.decoding.soft.refinement import Fit
from service.decoding.soft.search import GridSearch


def fits(truth: Simulated, work: float = 1000.0) -> list[Fit]:
    darkness = np.tanh(-truth.logits / 2)
    effort = Effort(work, time.monotonic() + 60)
    return list(GridSearch(truth.logits, darkness, effort).fits(find_finders(darkness)))


def shown(version: int, scene: Scene, seed: int = 1) -> Simulated:
    return simulate(symbol_modules("12345", version, "L"), scene, np.random.default_rng(seed))


def straight_on(fit: Fit) -> bool:
    axes = fit.grid.homography[:2, :2]
    squares = np.allclose(axes.T @ axes, np.linalg.det(axes) * np.eye(2), atol=1e-6)
    return fit.grid.bend is None and not fit.grid.homography[2, :2].any() and squares


def distance(fit: Fit, truth: Simulated, module: float) -> float:
    """Largest distance of a module's centre from the truth, in modules."""
    return float(np.linalg.norm(fit.grid.centres() - truth.centres, axis=2).max()) / module


@pytest.mark.parametrize("version", [1, 2, 5, 10])
def test_a_flat_symbol_is_tried_straight_on_first(version: int) -> None:
    scene = Scene(module=5, rotation=17, noise=0.2)
    truth = shown(version, scene)
    first = fits(truth)[0]
    assert straight_on(first)
    assert first.grid.version == version
    assert distance(first, truth, scene.module) < 0.15


def test_a_symbol_of_which_nothing_but_the_finders_tells_is_tried_all_the_same() -> None:
    scene = Scene(module=5, rotation=5, noise=0.1)
    truth = shown(1, scene)
    # The timing patterns drown: along them, 8 modules from the corner, there is only noise.
    columns, rows = np.round(truth.centres[6, 8:13]).astype(int), np.round(truth.centres[8:13, 6]).astype(int)
    rng = np.random.default_rng(2)
    for x, y in (*columns, *rows):
        spot = truth.logits[y - 3 : y + 4, x - 3 : x + 4]
        spot[:] = rng.normal(0, 1, spot.shape)
    assert any(straight_on(fit) and distance(fit, truth, scene.module) < 0.2 for fit in fits(truth))


@pytest.mark.parametrize(("version", "scene"), [(3, Scene(perspective=0.4)), (6, Scene(bend=1.0))])
def test_a_symbol_seen_aslant_or_bent_is_not_tried_straight_on(version: int, scene: Scene) -> None:
    found = fits(shown(version, scene))
    assert found
    assert not any(straight_on(fit) for fit in found)


def test_a_version_with_alignment_patterns_enough_is_not_tried_straight_on() -> None:
    assert not any(straight_on(fit) for fit in fits(shown(14, Scene(module=5, rotation=3))))


def test_no_other_version_is_tried_before_one_that_stands_out() -> None:
    # Of a version 12, seen as one of version 10, half of the function patterns agree by chance.
    truth = shown(12, Scene(module=5, rotation=111, blur=0.3, noise=0.0), seed=3)
    assert fits(truth)[0].grid.version == 12


def test_nothing_is_tried_where_there_is_no_work_left() -> None:
    assert fits(shown(2, Scene(module=5)), work=0.0) == []
