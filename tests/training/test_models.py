"""Generators and discriminators: shapes, sizes, reach, normalisation, and the release of each kind."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from tests.builders.tensors import gradient
from training.config import parse
from training.export import ExportError, parity, rewrite_onnx, write_onnx
from training.models.config import (
    CompactConfig,
    GeneratorConfig,
    RRDBConfig,
    SRResNetConfig,
    TwoOutputsConfig,
    UNetDiscriminatorConfig,
    VGGDiscriminatorConfig,
)
from training.models.factory import build_discriminator, build_generator
from training.models.rrdb import DenseBlock

SMALL: list[GeneratorConfig] = [
    CompactConfig(channels=4, body_channels=8, blocks=2),
    SRResNetConfig(kind="srresnet", channels=8, blocks=2),
    SRResNetConfig(kind="srresnet", channels=8, blocks=2, batch_norm=True),
    RRDBConfig(kind="rrdb", channels=8, growth=4, blocks=1),
]
TWO = TwoOutputsConfig(kind="two_outputs", channels=8, dilations=(1, 2))
NAMES = ["compact", "srresnet", "srresnet-bn", "rrdb"]


@pytest.mark.parametrize("config", SMALL, ids=NAMES)
def test_generator_gives_four_times_the_size_and_sees_no_further_than_it_says(
    config: GeneratorConfig,
) -> None:
    generator = build_generator(config).double().eval()
    with torch.no_grad():
        for weight in generator.parameters():
            # Large weights of one sign let every pixel that can matter do so.
            weight.copy_(torch.full_like(weight, 0.1))
    lr = torch.rand(1, 1, 48, 56, requires_grad=True, dtype=torch.float64)
    logits = generator(lr).logits
    assert logits.shape == (1, 1, 192, 224)
    logits[0, 0, 94:98, 110:114].sum().backward()
    rows, columns = torch.nonzero(gradient(lr)[0, 0], as_tuple=True)
    # The four-by-four block belongs to the pixels (23..24, 27..28).
    reach = max((23 - rows).max(), (rows - 24).max(), (27 - columns).max(), (columns - 28).max())
    assert generator.receptive_radius - 2 <= reach <= generator.receptive_radius


@pytest.mark.parametrize("config", SMALL, ids=NAMES)
def test_generators_take_colour(config: GeneratorConfig) -> None:
    generator = build_generator(type(config).model_validate(config.model_dump() | {"in_channels": 3}))
    outputs = generator(torch.rand(2, 3, 8, 12))
    assert outputs.sr.shape == outputs.logits.shape == (2, 3, 32, 48)
    torch.testing.assert_close(outputs.sr, torch.sigmoid(outputs.logits))


@pytest.mark.slow
@pytest.mark.parametrize("config", [SMALL[2], SMALL[3], TWO], ids=["srresnet-bn", "rrdb", "two-outputs"])
def test_exported_generator_computes_the_same(tmp_path: Path, config: GeneratorConfig) -> None:
    generator = build_generator(config)
    generator(torch.rand(4, 1, 16, 16))  # Batch norm has counted something.
    generator.eval()
    write_onnx(generator, tmp_path / "model.onnx")
    assert parity(generator, tmp_path / "model.onnx") < 1e-3


@pytest.mark.slow
def test_a_graph_takes_the_weights_of_another_generator_of_its_shape(tmp_path: Path) -> None:
    first, second, other = (build_generator(SMALL[kind]).eval() for kind in (3, 3, 0))
    write_onnx(first, tmp_path / "first.onnx")
    rewrite_onnx(tmp_path / "first.onnx", second, tmp_path / "second.onnx")
    assert parity(second, tmp_path / "second.onnx") < 1e-3
    assert parity(first, tmp_path / "second.onnx") > 1e-3
    with pytest.raises(ExportError, match="the graph of another generator"):
        rewrite_onnx(tmp_path / "first.onnx", other, tmp_path / "other.onnx")


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_full_size_networks_have_the_sizes_of_the_papers() -> None:
    # ESRGAN's 23 blocks of RGB and Real-ESRGAN's discriminator, as their authors' code reports them.
    rrdb = build_generator(RRDBConfig(kind="rrdb", in_channels=3))
    assert _parameters(rrdb) == 16_697_987
    assert _parameters(build_discriminator(UNetDiscriminatorConfig(spectral_norm=False), 3)) == 4_376_897
    # SRGAN's generator by its figure 4: 9x9 stem, 16 blocks of two layers, one after them, two layers of 256, 9x9 head,
    # and one slope for each PReLU.
    layer = 64 * 64 * 9 + 64
    expected = (81 * 64 + 64) + 33 * layer + 2 * (4 * layer) + (81 * 64 + 1) + (1 + 16 + 2)
    assert _parameters(build_generator(SRResNetConfig(kind="srresnet"))) == expected


def test_batch_norm_is_out_unless_kept() -> None:
    def count(config: SRResNetConfig) -> int:
        return sum(isinstance(module, nn.BatchNorm2d) for module in build_generator(config).modules())

    assert count(SRResNetConfig(kind="srresnet")) == 0
    assert count(SRResNetConfig(kind="srresnet", batch_norm=True)) == 2 * 16 + 1


def test_dense_blocks_start_at_a_tenth_and_add_a_fifth() -> None:
    torch.manual_seed(0)
    block = DenseBlock(64, 32)
    layers = [layer for layer in block.layers if isinstance(layer, nn.Conv2d)]
    assert len(layers) == len(block.layers)
    for layer in layers:
        expected = 0.1 * np.sqrt(2 / (9 * layer.in_channels))
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.03)
        assert layer.bias is not None
        assert layer.bias.abs().max() == 0
    last = layers[-1]
    with torch.no_grad():
        last.weight.zero_()
        assert last.bias is not None
        last.bias.fill_(1.0)
    features = torch.rand(1, 64, 4, 4)
    torch.testing.assert_close(block(features), features + 0.2)


@pytest.mark.parametrize("size", [(96, 96), (64, 160)])
def test_discriminators_judge_pictures_and_pixels(size: tuple[int, int]) -> None:
    pictures = torch.rand(2, 1, *size)
    assert build_discriminator(VGGDiscriminatorConfig(channels=4), 1)(pictures).shape == (2, 1)
    assert build_discriminator(UNetDiscriminatorConfig(channels=4), 1)(pictures).shape == (2, 1, *size)


@pytest.mark.parametrize("kind", [VGGDiscriminatorConfig, UNetDiscriminatorConfig])
def test_spectral_norm_bounds_the_layers(
    kind: type[VGGDiscriminatorConfig | UNetDiscriminatorConfig],
) -> None:
    torch.manual_seed(0)

    def gains(spectral: bool) -> list[float]:
        network = build_discriminator(kind(channels=8, spectral_norm=spectral), 1).train()
        layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        with torch.no_grad():
            for layer in layers:
                # The weight itself, or what spectral norm computes it from.
                name = "parametrizations.weight.original" if is_parametrized(layer) else "weight"
                dict(layer.named_parameters())[name].mul_(5)
            for _ in range(30):
                network(torch.rand(2, 1, 32, 32))
        matrices = (layer.weight.detach().flatten(1).numpy() for layer in layers)
        return [float(np.linalg.svd(matrix, compute_uv=False)[0]) for matrix in matrices]

    bounded = gains(True)
    # Real-ESRGAN leaves the first and the last layer free.
    inner = bounded[1:-1] if kind is UNetDiscriminatorConfig else bounded
    assert max(inner) == pytest.approx(1, abs=0.05)
    assert min(gains(False)) > 1.5


def test_checkpoints_from_before_there_were_kinds_still_load() -> None:
    config = parse({"generator": {"channels": 16, "body_channels": 24, "blocks": 3}}, "old")
    assert config.generator == CompactConfig(channels=16, body_channels=24, blocks=3)
