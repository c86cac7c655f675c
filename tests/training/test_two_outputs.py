"""The generator with two outputs: where its picture starts, what it sees, and which losses reach its trunk."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from training.models.config import TwoOutputsConfig
from training.models.two_outputs import TwoOutputsGenerator


def _generator(**settings: object) -> TwoOutputsGenerator:
    torch.manual_seed(3)
    small = {"kind": "two_outputs", "channels": 8, "dilations": [1, 2], "picture_channels": 4}
    return TwoOutputsGenerator(TwoOutputsConfig.model_validate(small | settings))


def test_the_picture_starts_as_the_bicubic_enlargement() -> None:
    generator = _generator().eval()
    with torch.no_grad():
        generator.picture_head.weight.zero_()
        assert generator.picture_head.bias is not None
        generator.picture_head.bias.zero_()
        lr = torch.rand(2, 1, 16, 24)
        expected = interpolate(lr, scale_factor=4.0, mode="bicubic").clamp(0, 1)
        inner = (..., slice(16, -16), slice(16, -16))
        torch.testing.assert_close(generator(lr).sr[inner], expected[inner])


@pytest.mark.parametrize("contrast", [0.5, 0.15])
def test_logits_hardly_change_with_contrast_where_only_local_contrast_is_seen(contrast: float) -> None:
    generator = _generator().eval()
    with torch.no_grad():
        # The raw pixels are the first four channels of what the stem sees.
        generator.stem.weight[:, :4] = 0
        lr = torch.rand(1, 1, 64, 64)
        faint = 0.3 + contrast * (lr - 0.5)
        torch.testing.assert_close(generator(faint).logits, generator(lr).logits, rtol=0.1, atol=0.02)


def test_no_output_sees_further_than_the_stated_radius() -> None:
    generator = _generator(dilations=[1, 4, 2]).eval()
    lr = torch.rand(1, 1, 128, 128, requires_grad=True)
    outputs = generator(lr)
    (outputs.logits[0, 0, 254:258, 254:258].sum() + outputs.sr[0, 0, 254:258, 254:258].sum()).backward()
    assert lr.grad is not None
    rows, columns = torch.nonzero(lr.grad[0, 0], as_tuple=True)
    reach = int(max((63 - rows).max(), (rows - 64).max(), (63 - columns).max(), (columns - 64).max()))
    assert 16 < reach <= generator.receptive_radius


def _trunk_gradient(share: float) -> Tensor:
    generator = _generator(picture_gradient=share)
    generator(torch.rand(1, 1, 16, 16)).sr.square().sum().backward()
    gradient = generator.stem.weight.grad
    return torch.zeros(1) if gradient is None else gradient


def test_the_share_of_the_gradient_that_reaches_the_trunk_is_the_configured_one() -> None:
    assert _trunk_gradient(0.0).abs().max() == 0
    torch.testing.assert_close(_trunk_gradient(0.25), 0.25 * _trunk_gradient(1.0))
