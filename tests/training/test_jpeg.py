"""The batched JPEG against the real codec."""

import cv2
import numpy as np
import pytest
import torch

from training.data import jpeg


def _picture(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    modules = rng.integers(0, 2, (height // 2 + 1, width // 2 + 1)).astype(np.float32)
    return cv2.GaussianBlur(cv2.resize(modules, (width, height)), (0, 0), 0.7)


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 90])
def test_equals_the_real_codec(quality: int) -> None:
    picture = np.rint(_picture(48, 72) * 255).astype(np.uint8)
    _, stream = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(stream, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    expected = decoded.astype(int)
    tensor = torch.from_numpy(picture)[None, None].float() / 255
    ours = (jpeg.compress(tensor, torch.tensor([float(quality)]))[0, 0] * 255).round().numpy().astype(int)
    # The codec's integer transform rounds coefficients at a tie the other way, and the result once more; what
    # it loses against the original is the measure of how much that matters.
    assert np.std(ours - expected) < 0.4 + 0.15 * np.std(picture.astype(int) - expected)


def test_shift_moves_the_block_grid() -> None:
    picture = _picture(64, 64)
    tensor = torch.from_numpy(picture)[None, None]
    shifted = jpeg.compress(tensor, torch.tensor([20.0]), (3, 5))
    # The same grid results when the picture is cut out of one that begins that much earlier.
    wide = torch.nn.functional.pad(tensor, (5, 0, 3, 0), mode="replicate")
    expected = jpeg.compress(wide, torch.tensor([20.0]))[:, :, 3:, 5:]
    assert torch.equal(shifted, expected)
    assert not torch.equal(shifted, jpeg.compress(tensor, torch.tensor([20.0])))


def test_samples_of_a_batch_keep_their_own_quality() -> None:
    tensor = torch.from_numpy(_picture(32, 32))[None, None].repeat(2, 1, 1, 1)
    both = jpeg.compress(tensor, torch.tensor([10.0, 95.0]))
    loss = (both - tensor).square().mean(dim=(1, 2, 3))
    assert loss[0] > 10 * loss[1] > 0


def test_quality_50_uses_the_table_of_the_standard() -> None:
    tables = jpeg.quantisation_tables(torch.tensor([50.0, 100.0, 1.0]))
    assert tables[0, 0].tolist() == [16, 11, 10, 16, 24, 40, 51, 61]
    assert set(tables[1].flatten().tolist()) == {1}
    assert set(tables[2].flatten().tolist()) == {255}
