"""Where VGG19's weights come from, and what is said when there are none."""

import hashlib
from pathlib import Path

import pytest
import torch

from training.__main__ import main
from training.losses import vgg_weights
from training.losses.vgg_weights import WeightsError, load_weights


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights that somebody who runs the tests may have named are not those of the tests."""
    monkeypatch.delenv(vgg_weights.VARIABLE, raising=False)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands for the published one, with its hash."""
    path = tmp_path / "published.pth"
    torch.save({"features.0.weight": torch.ones(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(vgg_weights, "SHA256_PREFIX", digest[:8])
    return path


def test_a_named_file_is_used(published: Path, tmp_path: Path) -> None:
    weights = load_weights(published, tmp_path / "cache", url="file:///nowhere")
    assert weights["features.0.weight"].shape == (64, 3, 3, 3)
    assert not (tmp_path / "cache").exists()


def test_the_environment_names_a_file_unless_the_configuration_does(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRSR_VGG19", str(published))
    assert "features.0.bias" in load_weights(None, tmp_path / "cache", url="file:///nowhere")
    with pytest.raises(WeightsError, match=r"other\.pth"):
        load_weights(tmp_path / "other.pth", tmp_path / "cache", url="file:///nowhere")


def test_the_published_file_is_fetched_once_and_checked(published: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    weights = load_weights(None, cache, url=published.as_uri())
    assert weights["features.0.bias"].shape == (64,)
    again = load_weights(None, cache, url="file:///nowhere")
    assert torch.equal(again["features.0.weight"], weights["features.0.weight"])


def test_a_download_of_something_else_is_refused_and_not_kept(published: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(published.read_bytes() + b"!")
    with pytest.raises(WeightsError, match="not the published file"):
        load_weights(None, tmp_path / "cache", url=other.as_uri())
    assert not list((tmp_path / "cache").iterdir())


def test_a_spoilt_file_in_the_cache_is_fetched_again(published: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "vgg19-dcbb9e9d.pth").write_bytes(b"half")
    assert "features.0.weight" in load_weights(None, cache, url=published.as_uri())


def test_the_published_address_and_hash() -> None:
    assert vgg_weights.URL == "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
    assert vgg_weights.SHA256_PREFIX == "dcbb9e9d"


@pytest.mark.parametrize("content", [None, b"text", "tensor", "other names"])
def test_no_weights_is_one_line_that_names_the_file(tmp_path: Path, content: object) -> None:
    path = tmp_path / "vgg.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "tensor":
        torch.save(torch.ones(3), path)
    elif content:
        torch.save({"weight": torch.ones(3)}, path)
    with pytest.raises(WeightsError, match=r"vgg\.pth") as caught:
        load_weights(path, tmp_path)
    assert "\n" not in str(caught.value)


def test_without_weights_the_command_says_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.__main__.CACHE", tmp_path / "cache")
    monkeypatch.setattr(vgg_weights.load_weights, "__defaults__", ((tmp_path / "nowhere.pth").as_uri(),))
    config = tmp_path / "run.toml"
    config.write_text("[loss]\nperceptual = 1.0\n[run]\ndevice = 'cpu'\n")
    assert main(["train", "--config", str(config), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "perceptual.weights and QRSR_VGG19 are not set" in error
    assert error.count("\n") == 1
