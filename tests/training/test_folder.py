"""Pictures from disk: what is taken, what is refused, and that crops of a pair show the same."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.config import ConfigError, TrainingConfig, parse
from training.data.degradation import MARGIN
from training.data.folder import FolderError, FolderSource, read, scan
from training.data.samples import Samples
from training.data.stream import batches
from training.train import train


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _pairs(folder: Path, count: int = 3, lr: tuple[int, int] = (24, 40)) -> None:
    """HR is its LR with every pixel four by four times, so that crops can be compared exactly."""
    rng = np.random.default_rng(0)
    for number in range(count):
        small = rng.integers(0, 256, lr, np.uint8)
        _save(folder / "lr_img" / f"{number:03d}.png", small)
        _save(folder / "hr_img" / f"{number:03d}.bmp", np.kron(small, np.ones((4, 4), np.uint8)))


def _config(folder: dict[str, str], **data: object) -> TrainingConfig:
    small = {"lr_size": 16, "chunk": 4, "pool": 2, "replay": 1, "workers": 0, "folder": folder}
    channels = data.get("channels", 1)
    generator = {"in_channels": channels}
    return parse(
        {"generator": generator, "data": small | data, "optimiser": {"batch": 2, "steps": 4}}, "test"
    )


def _of_pairs(root: Path, **data: object) -> TrainingConfig:
    return _config({"hr": str(root / "hr_img"), "lr": str(root / "lr_img")}, **data)


def _chunk(config: TrainingConfig, number: int = 0) -> Samples:
    return FolderSource(config.data, scan(config.data), torch.device("cpu")).chunk(number)


def test_crops_of_a_pair_show_the_same_in_every_orientation(tmp_path: Path) -> None:
    _pairs(tmp_path)
    stream = batches(_of_pairs(tmp_path), 0, torch.device("cpu"))
    orientations = set()
    for _ in range(12):
        samples = next(stream)
        assert samples.lr.shape == (2, 1, 16, 16)
        enlarged = torch.nn.functional.interpolate(samples.lr, scale_factor=4.0)
        assert torch.equal((enlarged * 255).round().to(torch.uint8), samples.target)
        orientations.add(tuple(samples.lr[0, 0, 0].tolist()))
    assert len(orientations) > 6


def test_batches_follow_from_their_step(tmp_path: Path) -> None:
    _pairs(tmp_path)
    whole = batches(_of_pairs(tmp_path), 0, torch.device("cpu"))
    expected = [next(whole) for _ in range(7)][5:]
    resumed = batches(_of_pairs(tmp_path), 5, torch.device("cpu"))
    for samples in expected:
        assert torch.equal(next(resumed).lr, samples.lr)


def test_shares_of_two_processes_differ_and_make_one_batch(tmp_path: Path) -> None:
    _pairs(tmp_path)
    config = _of_pairs(tmp_path)
    shares = [next(batches(config, 0, torch.device("cpu"), rank=rank, world=2)) for rank in (0, 1)]
    assert [len(share) for share in shares] == [1, 1]
    assert not torch.equal(shares[0].lr, shares[1].lr)


def test_files_that_cannot_be_used_are_named_with_the_reason(tmp_path: Path) -> None:
    _pairs(tmp_path, 2)
    grey = np.zeros((96, 160), np.uint8)
    _save(tmp_path / "hr_img" / "lonely.png", grey)
    _save(tmp_path / "hr_img" / "odd.png", grey[:95])
    _save(tmp_path / "lr_img" / "odd.png", grey[:24, :40])
    _save(tmp_path / "hr_img" / "tiny.png", grey[:32, :32])
    _save(tmp_path / "lr_img" / "tiny.png", grey[:8, :8])
    whole = (tmp_path / "hr_img" / "000.bmp").read_bytes()
    (tmp_path / "hr_img" / "cut.bmp").write_bytes(whole[: len(whole) // 2])
    _save(tmp_path / "lr_img" / "cut.png", grey[:24, :40])
    (tmp_path / "hr_img" / "notes.txt").write_text("made by somebody else")
    listing = scan(_of_pairs(tmp_path).data)
    assert [entry.hr.name for entry in listing.entries] == ["000.bmp", "001.bmp"]
    reasons = {path.name: reason for path, reason in listing.skipped}
    assert set(reasons) == {"lonely.png", "odd.png", "tiny.png", "cut.bmp", "notes.txt"}
    assert "no picture of that name" in reasons["lonely.png"]
    assert reasons["odd.png"] == "160x95 is not four times the 40x24 of odd.png"
    assert "smaller than the crops" in reasons["tiny.png"]
    assert reasons["cut.bmp"].startswith("unreadable")
    report = listing.report()
    assert report.startswith("2 pairs used, 5 files skipped\n")
    assert all(name in report for name in reasons)


@pytest.mark.parametrize("missing", ["hr", "lr"])
def test_a_missing_folder_is_an_error_in_one_line(tmp_path: Path, missing: str) -> None:
    _pairs(tmp_path)
    config = _of_pairs(tmp_path)
    assert config.data.folder is not None
    folder = config.data.folder.model_copy(update={missing: tmp_path / "nowhere"})
    with pytest.raises(FolderError, match=rf"^data\.folder\.{missing}: .*nowhere is no folder$"):
        scan(config.data.model_copy(update={"folder": folder}))


def test_nothing_usable_is_an_error_that_says_why(tmp_path: Path) -> None:
    _pairs(tmp_path)
    with pytest.raises(ConfigError, match=r"nothing in .* \(3 files skipped; .*smaller than the crops"):
        next(batches(_of_pairs(tmp_path, lr_size=32), 0, torch.device("cpu")))


@pytest.mark.parametrize("channels", [1, 3])
def test_hr_pictures_alone_are_degraded(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(1)
    _save(tmp_path / "a.png", rng.integers(0, 256, (100, 90, 3), np.uint8))
    _save(tmp_path / "b.jpg", rng.integers(0, 256, (64, 64), np.uint8))
    config = _config({"hr": str(tmp_path)}, channels=channels, degradation={"kind": "bicubic"})
    samples = _chunk(config)
    assert samples.lr.shape == (4, channels, 16, 16)
    assert samples.target.shape == (4, channels, 64, 64)
    assert samples.weight.shape == (4, 1, 64, 64)
    reduced = torch.nn.functional.interpolate(
        samples.target.float() / 255, scale_factor=0.25, mode="bicubic", antialias=True
    )
    inner = slice(2, -2)
    assert (samples.lr - reduced.clamp(0, 1))[..., inner, inner].abs().max() < 0.02
    assert MARGIN % 4 == 0


def test_sharpening_changes_the_target_alone(tmp_path: Path) -> None:
    smooth = np.rint(127 + 90 * np.sin(np.mgrid[0:96, 0:160][0] / 9.0)).astype(np.uint8)
    _save(tmp_path / "hr_img" / "a.png", smooth)
    _save(tmp_path / "lr_img" / "a.png", smooth[::4, ::4])
    plain, sharp = _chunk(_of_pairs(tmp_path)), _chunk(_of_pairs(tmp_path, sharpen_target=True))
    assert torch.equal(plain.lr, sharp.lr)
    assert sharp.target.float().std() > 1.05 * plain.target.float().std()


def test_pictures_of_every_kind_are_read_as_luma_or_rgb(tmp_path: Path) -> None:
    colour = np.zeros((4, 6, 3), np.uint8)
    colour[..., 0] = 200
    _save(tmp_path / "red.png", colour)
    Image.fromarray(colour).convert("RGBA").save(tmp_path / "alpha.png")
    deep = (np.arange(24, dtype=np.uint16) * 2048).reshape(4, 6)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert read(tmp_path / "red.png", 1).tolist() == [[[60] * 6] * 4]
    assert np.array_equal(read(tmp_path / "alpha.png", 3), colour.transpose(2, 0, 1))
    assert np.array_equal(read(tmp_path / "deep.png", 1)[0], deep // 256)


@pytest.mark.processes
def test_training_runs_on_a_folder_of_pairs(tmp_path: Path) -> None:
    _pairs(tmp_path)
    tiny = {"channels": 4, "body_channels": 4, "blocks": 1}
    config = parse(
        _of_pairs(tmp_path).model_dump(mode="json")
        | {"generator": tiny, "run": {"device": "cpu", "validation_samples": 1}},
        "test",
    )
    last = train(config, tmp_path / "run", cache=tmp_path / "cache")
    assert last.is_file()
    resumed = train(config, tmp_path / "again", resume=last, cache=tmp_path / "cache")
    assert resumed.is_file()
