"""Grids: the maps themselves, the choice of version, and the fit to a picture."""

from dataclasses import replace

import numpy as np
import pytest

from benchmark.reader.simulated_logits import Scene, simulate, symbol_modules
from scoring.known_symbols import Simulated
from service.decoding.soft.constellation import triples
from service.decoding.soft.finder import find_finders
from service.decoding.soft.grid import TERMS, Grid
from service.decoding.soft.homography import estimate, project, with_moved_corner
from service.decoding.soft.hypotheses import affine_hypotheses, version_hypotheses
from service.decoding.soft.refinement import Freedom, refine
from service.decoding.soft.sampling import SoftCalibration, sampled

HOMOGRAPHY = np.array([[5.0, 0.4, 30.0], [-0.6, 4.5, 44.0], [1e-3, -5e-4, 1.0]])


def simulated(scene: Scene, version: int, seed: int = 0) -> Simulated:
    return simulate(symbol_modules("GRID", version), scene, np.random.default_rng(seed))


def true_grid(truth: Simulated, version: int) -> Grid:
    """The homography through the centres of the corner modules: the truth where nothing is bent."""
    n = len(truth.modules)
    ends = np.array([[0.5, 0.5], [n - 0.5, 0.5], [n - 0.5, n - 0.5], [0.5, n - 0.5]])
    target = truth.centres[[0, 0, -1, -1], [0, -1, -1, 0]]
    return Grid(version, estimate(ends[None], target, np.ones(4), 0.0)[0])


def error(grid: Grid, truth: Simulated, scene: Scene) -> float:
    """Largest distance of a module centre from the truth, in modules."""
    return float(np.linalg.norm(grid.centres() - truth.centres, axis=2).max()) / scene.module


def test_estimate_gives_back_the_homography_behind_exact_points() -> None:
    points = np.random.default_rng(0).uniform(0, 40, (12, 2))
    found = estimate(points[None], project(HOMOGRAPHY, points), np.ones(12), 0.0)[0]
    np.testing.assert_allclose(found, HOMOGRAPHY, rtol=1e-5, atol=1e-7)


def test_moving_a_corner_leaves_the_other_three() -> None:
    n = 29
    moves = np.array([[1.5, -0.7], [0.0, 0.0], [-2.0, 3.0]])
    square = np.array([[0.0, 0.0], [n, 0.0], [0.0, n], [n, n]])
    for moved, move in zip(with_moved_corner(HOMOGRAPHY, n, moves), moves, strict=True):
        expected = project(HOMOGRAPHY, square + np.array([[0, 0], [0, 0], [0, 0], move]))
        np.testing.assert_allclose(project(moved, square), expected, atol=1e-8)


def test_lattice_is_the_map_of_its_points() -> None:
    bend = np.zeros((2, TERMS, TERMS))
    bend[0, 0, 2], bend[1, 3, 1], bend[1, 1, 0] = 0.8, -0.3, 0.2
    grid = Grid(2, HOMOGRAPHY, bend)
    axis = (np.arange(50) + 0.5) / 2
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    s, t = np.moveaxis(2 * points / 25 - 1, -1, 0)
    by_hand = points + np.stack([0.8 * t**2, -0.3 * s**3 * t + 0.2 * s], axis=-1)
    x, y, w = HOMOGRAPHY @ np.append(by_hand[7, 31], 1.0)
    np.testing.assert_allclose(grid.at(points)[7, 31], [x / w, y / w])
    np.testing.assert_allclose(grid.lattice(2), grid.at(points), atol=1e-3)


def test_corners_run_from_the_symbols_own_top_left() -> None:
    grid = Grid(1, np.diag([4.0, 4.0, 1.0]))
    assert grid.corners() == ((0, 0), (84, 0), (84, 84), (0, 84))
    assert grid.corners(transposed=True) == ((0, 0), (0, 84), (84, 84), (84, 0))
    assert grid.module_width() == pytest.approx(4)


def test_grids_behind_the_camera_or_far_outside_are_unsound() -> None:
    assert Grid(1, np.diag([4.0, 4.0, 1.0])).is_sound((100, 100))
    assert not Grid(1, np.diag([4.0, 4.0, 1.0])).is_sound((60, 60))
    folded = np.array([[4.0, 0, 0], [0, 4.0, 0], [-0.1, 0, 1.0]])
    assert not Grid(1, folded).is_sound((100, 100))


@pytest.mark.parametrize("version", [1, 2, 3, 6, 7, 14, 25, 40])
def test_version_is_told_by_timing_patterns_and_version_information(version: int) -> None:
    truth = simulated(Scene(module=4.6, rotation=20, perspective=0.1, noise=0.12, margin=12), version)
    darkness = np.tanh(-truth.logits / 2)
    best = version_hypotheses(darkness, triples(find_finders(darkness))[0])[0]
    assert best.grid.version == version


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_fit_finds_the_grid_from_a_third_of_a_module_away(sign: float) -> None:
    scene = Scene(module=5, rotation=10, perspective=0.2, noise=0.15, inverted=sign < 0)
    truth = simulated(scene, 6)
    start = true_grid(truth, 6)
    off = with_moved_corner(start.homography, 41, np.array([[0.4, -0.3]]))[0]
    off = np.array([[1, 0, 1.2], [0, 1, -1.0], [0, 0, 1]]) @ off
    assert error(start.with_homography(off), truth, scene) > 0.3
    fit = refine(truth.logits, start.with_homography(off), sign, iterations=6)
    assert error(fit.grid, truth, scene) < 0.06
    assert fit.agreement > 0.95


def test_affine_grid_is_the_nearest_without_perspective() -> None:
    sheared = np.array([[5.0, 0.4, 30.0], [-0.6, 4.5, 44.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(Grid(3, 2 * sheared).affine().homography, sheared, atol=1e-9)
    tilted = Grid(3, HOMOGRAPHY).affine()
    np.testing.assert_array_equal(tilted.homography[2], [0, 0, 1])
    off = tilted.at(np.array([[0.0, 0.0], [29.0, 29.0]])) - Grid(3, HOMOGRAPHY).at(
        np.array([[0.0, 0.0], [29.0, 29.0]])
    )
    assert 0.1 < np.abs(off).max() < 5


def test_similar_grid_is_the_nearest_of_squares() -> None:
    turned = np.array([[4.0, -3.0, 70.0], [3.0, 4.0, 40.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(Grid(2, turned).similar().homography, turned, atol=1e-9)
    similar = Grid(3, HOMOGRAPHY).similar()
    axes = similar.homography[:2, :2]
    np.testing.assert_allclose(axes.T @ axes, np.linalg.det(axes) * np.eye(2), atol=1e-9)
    places = np.array([[0.0, 0.0], [29.0, 0.0], [29.0, 29.0], [0.0, 29.0], [14.5, 14.5]])

    def error_of(grid: Grid) -> float:
        return float(np.sum((grid.at(places) - Grid(3, HOMOGRAPHY).at(places)) ** 2))

    turn, shift = np.array([[1, -0.01], [0.01, 1]]), np.array([[1.0, 0, 0.2], [0, 1, 0], [0, 0, 1]])
    for change in (np.diag([1.01, 1.01, 1]), np.pad(turn, (0, 1)) + np.diag([0, 0, 1]), shift):
        assert error_of(Grid(3, similar.homography @ change)) > error_of(similar)


def test_three_centres_alone_place_a_flat_symbol() -> None:
    truth = simulated(Scene(module=5, rotation=25), 2)
    darkness = np.tanh(-truth.logits / 2)
    best = affine_hypotheses(darkness, triples(find_finders(darkness))[0])[0]
    assert best.grid.version == 2
    assert best.grid.bend is None
    np.testing.assert_array_equal(best.grid.homography[2], [0, 0, 1])
    assert error(best.grid, truth, Scene(module=5, rotation=25)) < 0.3


def test_the_stiffer_the_grid_the_less_it_follows_the_noise() -> None:
    scene = Scene(module=5, rotation=3, noise=0.5)
    stiffest, freer, stiffer = [], [], []
    for seed in range(8):
        truth = simulated(scene, 2, seed)
        start = true_grid(truth, 2)
        start = start.with_homography(with_moved_corner(start.homography, 25, np.array([[0.5, 0.5]]))[0])
        affine = refine(truth.logits, start.affine(), 1.0, Freedom.AFFINE, iterations=5).grid
        np.testing.assert_array_equal(affine.homography[2], [0, 0, 1])
        stiffer.append(error(affine, truth, scene))
        similar = refine(truth.logits, start.similar(), 1.0, Freedom.SIMILARITY, iterations=5).grid
        axes = similar.homography[:2, :2]
        np.testing.assert_allclose(axes.T @ axes, np.linalg.det(axes) * np.eye(2), atol=1e-6)
        stiffest.append(error(similar, truth, scene))
        freer.append(error(refine(truth.logits, start, 1.0, iterations=5).grid, truth, scene))
    assert np.median(stiffer) < 0.85 * np.median(freer)
    assert np.median(stiffest) < 0.85 * np.median(stiffer)


def test_bent_symbol_needs_a_bent_grid() -> None:
    scene = Scene(module=5, rotation=40, bend=0.5, noise=0.1)
    truth = simulated(scene, 6)
    flat = refine(truth.logits, true_grid(truth, 6), 1.0, iterations=4)
    bent = refine(truth.logits, flat.grid, 1.0, Freedom.QUADRATIC)
    bent = refine(truth.logits, bent.grid, 1.0, Freedom.CUBIC, 5)
    assert error(flat.grid, truth, scene) > 0.25
    assert error(bent.grid, truth, scene) < 0.15
    assert bent.score > flat.score


def test_wrong_grid_does_not_agree() -> None:
    truth = simulated(Scene(), 4)
    right = true_grid(truth, 4)
    shift = np.array([[1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    fit = refine(truth.logits, right.with_homography(right.homography @ shift), 1.0, iterations=0)
    assert fit.agreement < 0.3
    assert refine(truth.logits, right, 1.0, iterations=0).agreement > 0.95


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_soft_bits_are_dark_where_the_module_is(sign: float) -> None:
    truth = simulated(Scene(inverted=sign < 0, blur=0.3, noise=0.05), 3)
    fit = refine(truth.logits, true_grid(truth, 3), sign)
    llr = sampled(truth.logits, fit, SoftCalibration((-50.0, 50.0), (-50.0, 50.0)))
    np.testing.assert_array_equal(llr > 0, truth.modules)
    table = SoftCalibration((-6.0, 0.0, 6.0), (-2.0, 0.0, 3.0))
    calibrated = sampled(truth.logits, fit, table)
    assert calibrated.min() >= -3
    assert calibrated.max() <= 3
    light = llr < 0
    # Light in the picture is dark in an inverted symbol: the table speaks of the picture.
    factor = np.where(light == (sign > 0), 3 / 6, 2 / 6)
    np.testing.assert_allclose(calibrated, np.clip(llr, -6, 6) * factor, atol=1e-5)


@pytest.mark.parametrize(
    ("logit", "llr"),
    [((0.0,), (0.0,)), ((0.0, 1.0), (0.0,)), ((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))],
)
def test_calibration_that_is_no_ascending_table_is_refused(
    logit: tuple[float, ...], llr: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="calibration"):
        SoftCalibration(logit, llr)


def test_near_fit_looks_at_nothing_far_from_the_finders() -> None:
    scene = Scene(module=5, noise=0.1)
    truth = simulated(scene, 6)
    grid = true_grid(truth, 6)
    blotted = truth.logits.copy()
    middle = truth.centres[22:, 22:].reshape(-1, 2).astype(int)
    blotted[middle[:, 1].min() :, middle[:, 0].min() :] *= -1
    start = replace(grid, bend=None)
    clean = refine(truth.logits, start, 1.0, Freedom.QUADRATIC, 2, near=True)
    spoilt = refine(blotted, start, 1.0, Freedom.QUADRATIC, 2, near=True)
    np.testing.assert_allclose(clean.grid.centres()[:20, :20], spoilt.grid.centres()[:20, :20], atol=0.5)
