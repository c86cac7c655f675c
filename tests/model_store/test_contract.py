"""Pre- and post-processing of a generator."""

import math

import numpy as np
import pytest
from PIL import Image

from model_store.contract import (
    enlarge,
    luma,
    merge_colour,
    pad_to_multiple,
    quantise,
    symbol_picture,
    to_tensor,
)
from tests.builders.images import pattern


def test_luma_is_rec_601() -> None:
    rgb = pattern(40, 50)
    expected = rgb @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma(rgb) - expected).max() <= 0.51
    assert np.abs(luma(rgb).astype(int) - np.asarray(Image.fromarray(rgb).convert("L"))).max() <= 1


def test_luma_of_grey_is_itself() -> None:
    grey = pattern(9, 9)[..., 0]
    assert np.array_equal(luma(grey), grey)


def test_padding_repeats_the_edge_below_and_beside() -> None:
    plane = np.arange(15, dtype=np.uint8).reshape(3, 5)
    padded = pad_to_multiple(plane, 4)
    assert padded.shape == (4, 8)
    assert np.array_equal(padded[:3, :5], plane)
    assert padded[3].tolist() == [10, 11, 12, 13, 14, 14, 14, 14]
    assert np.array_equal(pad_to_multiple(padded, 4), padded)


def test_tensor_and_back_is_exact() -> None:
    plane = np.arange(256, dtype=np.uint8).reshape(16, 16)
    tensor = to_tensor(plane)
    assert tensor.shape == (1, 1, 16, 16)
    assert tensor.dtype == np.float32
    assert (tensor.min(), tensor.max()) == (0, 1)
    assert np.array_equal(quantise(tensor)[0, 0], plane)


def test_quantise_rounds_and_clips() -> None:
    values = np.array([-0.2, 0.0, 0.49 / 255, 0.51 / 255, 1.0, 1.7], np.float32)
    assert quantise(values).tolist() == [0, 0, 0, 1, 255, 255]


def test_neutral_stays_neutral() -> None:
    grey = np.repeat(pattern(70, 33)[..., :1], 3, axis=2)
    sr = pattern(280, 132)[..., 1]
    assert np.array_equal(merge_colour(grey, sr), np.repeat(sr[..., None], 3, axis=2))


@pytest.mark.parametrize("height", [8, 63, 64, 65, 150])
def test_colour_is_merged_without_seams(height: int) -> None:
    """Against the same sum done in floating point and in one piece, with Pillow's bicubic."""
    rgb = pattern(height, 40)
    sr = np.full((4 * height, 160), 128, np.uint8)
    result = merge_colour(rgb, sr).astype(float)
    red, blue = result[..., 0] - 128, result[..., 2] - 128
    light = rgb @ np.array([0.299, 0.587, 0.114])
    for channel, got, factor in ((0, red, 1.402), (2, blue, 1.772)):
        chroma = Image.fromarray(((rgb[..., channel] - light) / factor).astype(np.float32))
        wide = np.asarray(chroma.resize((160, 4 * height), Image.Resampling.BICUBIC)) * factor
        inside = np.abs(wide) < 100
        # The two cubics differ in their parameter (-0.75 and -0.5); a seam would stand out far beyond that.
        assert np.abs(got - wide)[inside].max() < 16
        assert np.abs(got - wide)[inside].mean() < 2


def test_enlarge_keeps_constants_and_size() -> None:
    assert (enlarge(np.full((8, 9), 77, np.uint8)) == 77).all()
    assert enlarge(np.zeros((8, 9), np.uint8)).shape == (32, 36)


def test_strips_leave_no_seam() -> None:
    """Cutting rows off the top moves the strips' borders; what is far from the cut must not notice."""
    rgb, sr = pattern(200, 40), pattern(800, 160)[..., 0]
    whole, cut = merge_colour(rgb, sr), merge_colour(rgb[8:], sr[32:])
    assert np.array_equal(whole[64:], cut[32:])


def test_the_picture_of_logits_is_their_sigmoid_in_256_steps() -> None:
    logits = np.array([[-np.inf, -20, -1.5, 0, 0.25, 3, 20, np.inf]], np.float16)
    expected = [[round(255 / (1 + math.exp(-float(value)))) for value in logits[0]]]
    assert symbol_picture(logits).tolist() == expected
    assert symbol_picture(logits).dtype == np.uint8
