"""Finder patterns: found wherever, however turned and however large, and put together to symbols."""

import numpy as np
import pytest

from benchmark.reader.simulated_logits import Scene, simulate, symbol_modules
from scoring.known_symbols import Simulated
from service.decoding.soft.constellation import pairs, triples
from service.decoding.soft.finder import Finders, find_finders


def simulated(scene: Scene, version: int = 4, seed: int = 0) -> Simulated:
    return simulate(symbol_modules("FIND ME", version), scene, np.random.default_rng(seed))


def finder_places(truth: Simulated) -> np.ndarray:
    """`(3, 2)` pixels of the finders' centres: corner, along x, along y."""
    last = len(truth.modules) - 4
    return np.stack([truth.centres[3, 3], truth.centres[3, last], truth.centres[last, 3]])


SCENES = {
    "upright": Scene(noise=0.2),
    "turned by 10": Scene(rotation=10, noise=0.2),
    "turned by 33": Scene(rotation=33, noise=0.2),
    "turned by 45": Scene(rotation=45, noise=0.2),
    "turned by 100": Scene(rotation=100, noise=0.2),
    "small": Scene(module=3.8, rotation=70, noise=0.15),
    "large": Scene(module=13, rotation=20),
    "huge": Scene(module=27, rotation=200),
    "inverted": Scene(inverted=True, rotation=15, noise=0.2),
    "seen aslant": Scene(perspective=0.5, rotation=30),
    "bent": Scene(bend=1.5, rotation=80),
    "touching the edge": Scene(margin=0, quiet=0),
    "busy surroundings": Scene(quiet=0, busy=True, rotation=12, noise=0.2),
}


@pytest.mark.parametrize("name", SCENES)
def test_finder_patterns_are_found_with_their_frames(name: str) -> None:
    scene = SCENES[name]
    truth = simulated(scene)
    finders = find_finders(np.tanh(-truth.logits / 2))
    last = len(truth.modules) - 4
    for row, column in ((3, 3), (3, last), (last, 3)):
        distance = np.linalg.norm(finders.centres - truth.centres[row, column], axis=1) / scene.module
        nearest = int(np.argmin(distance))
        assert distance[nearest] < 0.35
        assert finders.signs[nearest] == (-1 if scene.inverted else 1)
        # The frame's axes lead to the neighbouring modules, whichever axis is which.
        right = truth.centres[row, column + 1] - truth.centres[row, column]
        there = np.linalg.inv(finders.axes[nearest]) @ right
        assert np.abs(there).max() == pytest.approx(1, abs=0.15)
        assert np.abs(there).min() < 0.15


def test_flat_picture_has_no_finder_patterns() -> None:
    assert len(find_finders(np.zeros((200, 300), np.float32))) == 0
    assert len(find_finders(np.full((200, 300), 0.999, np.float32))) == 0


@pytest.mark.parametrize("mirrored", [False, True])
def test_three_patterns_make_one_symbol(mirrored: bool) -> None:
    truth = simulated(Scene(rotation=25, mirrored=mirrored), version=5)
    best = triples(find_finders(np.tanh(-truth.logits / 2)))[0]
    expected = finder_places(truth)
    if mirrored:  # Seen transposed: x and y change places.
        expected = expected[[0, 2, 1]]
    np.testing.assert_allclose(best.centres, expected, atol=2)
    assert best.seen.all()
    assert best.span == pytest.approx(30, abs=1.5)
    # Frames name the symbol's own axes: one module along x from the corner leads towards pattern 1.
    along = best.centres[0] + best.axes[0] @ np.array([30.0, 0.0])
    np.testing.assert_allclose(along, best.centres[1], atol=8)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_two_patterns_suggest_the_place_of_the_third(lost: int) -> None:
    truth = simulated(Scene(rotation=25), version=5)
    finders = find_finders(np.tanh(-truth.logits / 2))
    expected = finder_places(truth)
    finders = finders.take(np.linalg.norm(finders.centres - expected[lost], axis=1) > 10)
    guesses = [
        item
        for item in pairs(finders)
        if np.abs(item.centres - expected).max() < 8 and list(np.flatnonzero(~item.seen)) == [lost]
    ]
    assert guesses


def test_patterns_of_unlike_polarity_or_size_make_no_symbol() -> None:
    centres = np.array([[50.0, 50.0], [150.0, 50.0], [50.0, 150.0]])
    axes = np.tile(5 * np.eye(2), (3, 1, 1))
    scores, signs = np.full(3, 0.9), np.ones(3)
    assert len(triples(Finders(centres, axes, scores, signs))) == 1
    assert not triples(Finders(centres, axes, scores, np.array([1.0, 1.0, -1.0])))
    assert not triples(Finders(centres, axes * np.array([1, 1, 3])[:, None, None], scores, signs))
    assert not triples(Finders(centres[[0, 1]], axes[:2], scores[:2], signs[:2]))
    assert not pairs(Finders(centres[:1], axes[:1], scores[:1], signs[:1]))
