"""Upscalers: kernels, the generator's contract, peers of every kind, and what they cost."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmark.comparison.graph_cost import onnx_macs, onnx_parameters
from benchmark.comparison.upscalers import (
    UpscalerError,
    UpscalerSpec,
    build_upscaler,
    generator_file,
    superres_of,
)
from tests.builders.model import write_tiny_model

PICTURE = np.random.default_rng(1).integers(0, 256, (21, 34), dtype=np.uint8)


def _network(path: Path, channels: int, scale: int) -> None:
    """Nearest-neighbour enlargement after a 3x3 convolution that does nothing."""
    weights = np.zeros((channels, channels, 3, 3), np.float32)
    for channel in range(channels):
        weights[channel, channel, 1, 1] = 1
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["same"], pads=[1, 1, 1, 1]),
            helper.make_node("Resize", ["same", "", "s"], ["y"], mode="nearest"),
        ],
        "peer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", channels, "a", "b"])],
        [
            helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.reshape(-1)),
            helper.make_tensor("s", TensorProto.FLOAT, [4], [1.0, 1.0, scale, scale]),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


@pytest.mark.parametrize(("channels", "scale"), [(1, 2), (1, 4), (3, 2), (3, 4)])
def test_any_network_with_one_picture_in_and_out_is_a_peer(tmp_path: Path, channels: int, scale: int) -> None:
    path = tmp_path / "peer.onnx"
    _network(path, channels, scale)
    made = build_upscaler(UpscalerSpec.peer(f"peer={path}"))(PICTURE)
    assert made.sr.shape == (21 * scale, 34 * scale)
    # Nearest neighbour: every block of pixels is its source, whose luma survives the way through RGB.
    assert np.abs(made.sr[::scale, ::scale].astype(int) - PICTURE).max() <= 1
    assert made.logits is None


def test_the_generator_is_run_by_its_contract(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    made = build_upscaler(UpscalerSpec.generator(folder))(PICTURE)
    assert made.sr.shape == (84, 136)
    assert made.logits is not None
    assert made.logits.shape == (84, 136)
    assert np.allclose(made.sr / 255, 1 / (1 + np.exp(-made.logits)), atol=0.003)
    assert "tiny_x4/1" in generator_file(folder).identity


def test_kernels_are_those_of_opencv() -> None:
    made = build_upscaler(UpscalerSpec.kernel("lanczos"))(PICTURE)
    assert np.array_equal(made.sr, cv2.resize(PICTURE, (136, 84), interpolation=cv2.INTER_LANCZOS4))


@pytest.mark.parametrize("option", ["peer", "=x.onnx", "peer=missing.onnx"])
def test_bad_peers_are_refused(option: str) -> None:
    with pytest.raises(UpscalerError):
        UpscalerSpec.peer(option)


def test_superres_files_are_named_after_what_they_are() -> None:
    assert superres_of(Path("FSRCNN_x3.pb")) == ("fsrcnn", 3)
    with pytest.raises(UpscalerError):
        superres_of(Path("net.pb"))


def test_multiply_accumulates_of_a_convolution(tmp_path: Path) -> None:
    path = tmp_path / "peer.onnx"
    _network(path, 3, 2)
    # Nine weights from each of three channels for each of three outputs at each of 10 x 12 places.
    assert onnx_macs(path, 10, 12) == 10 * 12 * 3 * 3 * 9
    # The resize factors are constants of the graph too.
    assert onnx_parameters(path) == 3 * 3 * 9 + 4


@pytest.mark.shared
def test_peers_at_hand_enlarge(shared: Path) -> None:
    for name, file in (
        ("realesr", "realesr-general-x4v3.onnx"),
        ("fsrcnn", "FSRCNN_x4.pb"),
        ("espcn", "ESPCN_x4.pb"),
    ):
        made = build_upscaler(UpscalerSpec.peer(f"{name}={shared / 'peers' / file}"))(PICTURE)
        assert made.sr.shape == (84, 136), name
