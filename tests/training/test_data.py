"""Samples: what they show, where the symbol lies, and that they can be made again."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch

from training.config import TrainingConfig, parse
from training.data.config import DataConfig, DegradationConfig, SceneConfig, SymbolConfig
from training.data.geometry import Placement, homography, place
from training.data.samples import Materials, Samples, SampleSource
from training.data.stream import batches, orient
from training.data.symbols import MAX_SIZE, build_bank, size_of
from training.data.textures import make_textures
from training.losses.config import LossConfig
from training.validate import wrong_modules

SMALL = SymbolConfig(count=24, versions=(1, 4))


@functools.cache
def _materials() -> Materials:
    return Materials.make(DataConfig(symbols=SMALL, textures=8), torch.device("cpu"))


def _source(**scene: object) -> SampleSource:
    config = DataConfig(lr_size=48, symbols=SMALL, scene=SceneConfig.model_validate(scene))
    return SampleSource(config, LossConfig(), _materials(), torch.device("cpu"))


def _placement(samples: Samples) -> Placement:
    return Placement(samples.pixel_to_module.numpy(), samples.bend.numpy(), np.zeros(len(samples)))


def _target_at_centres(samples: Samples, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Target pixels at the centres of the modules in view, and what the module matrix says there."""
    size = size_of(int(samples.version[index]))
    rows, columns = np.mgrid[0:size, 0:size]
    centres = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    pixels = np.floor(_placement(samples).pixels_at(index, centres, size)).astype(int)
    inside = ((pixels >= 0) & (pixels < samples.target.shape[-1])).all(axis=1)
    x, y = pixels[inside].T
    target = samples.target[index, 0].numpy()[y, x] > 127
    return target, samples.modules[index, :size, :size].numpy().ravel()[inside] == 0


def test_every_symbol_of_the_bank_can_be_read_by_another_library() -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    bank = build_bank(SymbolConfig(count=12, versions=(1, 12)), seed=5)
    for index in range(len(bank)):
        modules = bank.modules(index)
        assert len(modules) == size_of(int(bank.version[index]))
        picture = np.kron(np.pad(1 - modules, 4, constant_values=1), np.ones((4, 4), np.uint8)) * 255
        assert len(zxingcpp.read_barcodes(picture.astype(np.uint8))) == 1


def test_bank_follows_from_its_seed_and_comes_back_from_the_cache(tmp_path: Path) -> None:
    first, again = build_bank(SMALL, 7, tmp_path), build_bank(SMALL, 7, tmp_path)
    other = build_bank(SMALL, 8)
    assert np.array_equal(first.bits, again.bits)
    assert not np.array_equal(first.bits, other.bits)
    assert len(list(tmp_path.iterdir())) == 1


def test_geometry_leads_to_the_modules_of_the_target() -> None:
    samples = _source(px_per_module=(1.5, 3.0), hard_share=0, perspective=1, curved=1, upright=0.2).chunk(
        0, 12
    )
    for index in range(len(samples)):
        target, light = _target_at_centres(samples, index)
        if int(samples.modules[index].sum()) and len(target) > 50:
            # An inverted symbol swaps all modules.
            agreement = np.mean(target == light)
            assert max(agreement, 1 - agreement) > 0.99


def test_pixels_and_modules_are_inverse() -> None:
    rng = np.random.default_rng(0)
    placement = place(
        SceneConfig(perspective=1, curved=1), np.array([25, 57]), np.array([2.0, 1.2]), 256, rng
    )
    for index, size in enumerate((25, 57)):
        modules = rng.uniform(0, size, (40, 2))
        back = placement.modules_at(index, placement.pixels_at(index, modules, size), size)
        assert np.abs(back - modules).max() < 1e-6


def test_homography_takes_four_points_to_four() -> None:
    source = np.array([[0.0, 0], [10, 1], [11, 12], [-1, 9]])
    target = np.array([[0.0, 0], [21, 0], [21, 21], [0, 21]])
    mapped = np.column_stack([source, np.ones(4)]) @ homography(source, target).T
    assert np.allclose(mapped[:, :2] / mapped[:, 2:], target)


@pytest.mark.parametrize("orientation", range(8))
def test_turning_a_sample_turns_its_geometry(orientation: int) -> None:
    samples = orient(_source(inverted=0, damaged=0, dotted=0).chunk(1, 6), orientation)
    agreements = [np.mean(np.equal(*_target_at_centres(samples, index))) for index in range(len(samples))]
    assert np.nanmedian(agreements) > 0.99


def test_lr_shows_the_target_when_nothing_degrades_it() -> None:
    nothing = {name: 0 for name, field in DegradationConfig.model_fields.items() if field.annotation is float}
    config = DataConfig(
        lr_size=48,
        symbols=SMALL,
        scene=SceneConfig(inverted=0, ink_spread=0, dotted=0, damaged=0, uneven_light=0, glare=0, gamma=0,
                          px_per_module=(3, 3), hard_share=0),
        degradation=DegradationConfig.model_validate(nothing),
    )  # fmt: skip
    samples = SampleSource(config, LossConfig(), _materials(), torch.device("cpu")).chunk(0, 8)
    reduced = torch.nn.functional.avg_pool2d(samples.target.float() / 255, 4)
    assert samples.lr.min() >= 0
    assert samples.lr.max() <= 1
    for lr, expected in zip(samples.lr.flatten(1), reduced.flatten(1), strict=True):
        assert np.corrcoef(lr.numpy(), expected.numpy())[0, 1] > 0.8


def test_chunks_follow_from_seed_and_number() -> None:
    source, again = _source(), _source()
    assert torch.equal(source.chunk(3, 4).lr, again.chunk(3, 4).lr)
    assert not torch.equal(source.chunk(3, 4).lr, source.chunk(4, 4).lr)


def test_weights_peak_at_module_centres() -> None:
    samples = _source(px_per_module=(3.0, 3.0), hard_share=0, perspective=0, curved=0, upright=1).chunk(0, 4)
    assert samples.weight.max() >= 100
    assert samples.weight.float().mean() < samples.weight.max() / 2


def test_textures_fill_their_range() -> None:
    textures = make_textures(6, 1)
    assert textures.shape[1:] == (1, 512, 512)
    assert textures.min() >= 0
    assert textures.max() <= 1
    assert textures.std(axis=(1, 2, 3)).max() > 0.1
    assert size_of(40) == MAX_SIZE


def test_stream_is_the_same_from_wherever_it_starts() -> None:
    config = parse(
        {
            "data": {"lr_size": 32, "chunk": 4, "pool": 3, "replay": 2, "workers": 0, "textures": 4,
                     "symbols": {"count": 10, "versions": [1, 3]}},
            "optimiser": {"batch": 4},
        },
        "test",
    )  # fmt: skip
    assert isinstance(config, TrainingConfig)
    device = torch.device("cpu")
    whole = batches(config, 0, device)
    first = [next(whole) for _ in range(6)]
    resumed = batches(config, 3, device)
    for expected in first[3:]:
        assert torch.equal(next(resumed).lr, expected.lr)


def test_wrong_modules_are_counted_against_the_target() -> None:
    samples = _source(inverted=0, damaged=0, perspective=0, curved=0).chunk(2, 3)
    target = samples.target[0, 0].numpy()
    logits = np.where(target > 127, 3.0, -3.0).astype(np.float32)
    size = size_of(int(samples.version[0]))
    right = wrong_modules(logits, target, _placement(samples), 0, size)
    assert len(right) > 0
    assert not right.any()
    assert wrong_modules(-logits, target, _placement(samples), 0, size).all()


def test_a_teacher_is_believed_by_its_share_and_only_where_the_scene_is_familiar() -> None:
    scene = {"styled": 0.5, "extreme_light": 0.5}
    config = DataConfig.model_validate({"lr_size": 32, "textures": 4, "scene": scene, "teacher_share": 0.25})

    def certain(lr: torch.Tensor) -> torch.Tensor:
        return torch.ones(len(lr), 1, 4 * lr.shape[2], 4 * lr.shape[3])

    source = SampleSource(config, LossConfig(), _materials(), torch.device("cpu"), certain)
    samples = source.chunk(0, 32)
    taught = 255 * 0.25 + 0.75 * samples.target.float()
    follows = ((samples.aim.float() - taught).abs() <= 1).flatten(1).all(1)
    ignores = (samples.aim == samples.target).flatten(1).all(1)
    assert bool((follows | ignores).all())
    assert 0 < int(follows.sum()) < 32


def test_new_kinds_of_scenes_leave_the_rest_of_a_sample_as_it_was() -> None:
    plain = _source().chunk(0, 8)
    changed = _source(styled=1.0, faint_ink=0.5, extreme_light=1.0).chunk(0, 8)
    assert torch.equal(plain.target, changed.target)
    assert torch.equal(plain.pixel_to_module, changed.pixel_to_module)
    assert not torch.equal(plain.lr, changed.lr)
