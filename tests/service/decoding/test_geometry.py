"""Frames and their way back, rectified regions, symbols in one place."""

import cv2
import numpy as np
import pytest

from service.decoding.geometry import Quad, frame, rectify, same_place, sharpen


@pytest.mark.parametrize(("shape", "least", "scale"), [((30, 40), 0, 1), ((30, 40), 48, 2), ((1, 7), 48, 48)])
def test_frame_enlarges_by_a_whole_factor_and_adds_its_margin(
    shape: tuple[int, int], least: int, scale: int
) -> None:
    framed = frame(np.zeros(shape, np.uint8), 16, least)
    assert framed.image.shape == (shape[0] * scale + 32, shape[1] * scale + 32)
    assert min(framed.image.shape) - 32 >= least


@pytest.mark.parametrize("least", [0, 64])
def test_points_of_a_frame_come_back_to_the_image(least: int) -> None:
    """The centroid of a bright spot, found in the frame, is where it was put."""
    image = np.zeros((24, 31), np.uint8)
    image[7:10, 19:24] = 200
    framed = frame(image, 16, least)
    moments = cv2.moments(framed.image.astype(np.float64) - float(framed.image.min()))
    found = (moments["m10"] / moments["m00"], moments["m01"] / moments["m00"])
    back = framed.back([found] * 4)
    np.testing.assert_allclose(back, [(21.0, 8.0)] * 4, atol=0.05)


def test_margin_has_the_brightness_of_the_light_border() -> None:
    image = np.full((40, 40), 10, np.uint8)
    image[:, ::3] = 190
    image[0], image[-1] = 190, 190
    assert frame(image, 8).image[0, 0] == 190


def test_rectified_symbol_stands_upright_with_its_quiet_zone() -> None:
    flat = np.full((100, 100), 255, np.uint8)
    flat[20:80, 20:80] = 0
    flat[25:35, 25:35] = 255
    corners = np.array([[19.5, 19.5], [79.5, 19.5], [79.5, 79.5], [19.5, 79.5]], np.float32)
    seen = np.array([[150, 40], [170, 160], [30, 150], [45, 25]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    scene = cv2.warpPerspective(flat, matrix, (200, 200), borderValue=(255,)).astype(np.uint8)
    points: Quad = tuple((float(x), float(y)) for x, y in seen)  # type: ignore[assignment]
    square = rectify(scene, points, 130, quiet=0.15)
    # 60 pixels of symbol become 100 of 130: the light square at 5 to 15 of 60 lies at 15 + 8 to 15 + 25.
    assert square.shape == (130, 130)
    assert square[4:11, 4:126].min() > 200
    assert square[28:36, 28:36].min() > 200
    assert square[60:110, 60:110].max() < 60


def test_sharpening_widens_an_edge_and_leaves_flat_parts_alone() -> None:
    image = np.full((9, 60), 100, np.uint8)
    image[:, 30:] = 140
    sharp = sharpen(image, 2.0, 1.0)
    assert (sharp[4, 0], sharp[4, -1]) == (100, 140)
    assert sharp[4, 29] < 90
    assert sharp[4, 30] > 150


SQUARE: Quad = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


@pytest.mark.parametrize(("shift", "same"), [(0, True), (3, True), (9, False), (100, False)])
def test_same_place_means_that_centres_lie_in_each_other(shift: int, same: bool) -> None:
    a, b, c, d = ((x + shift, y) for x, y in SQUARE)
    assert same_place(SQUARE, (a, b, c, d)) is same


def test_small_quadrilateral_off_the_centre_of_a_large_one_is_another_place() -> None:
    small: Quad = ((7.0, 7.0), (9.0, 7.0), (9.0, 9.0), (7.0, 9.0))
    assert not same_place(SQUARE, small)
