"""A released generator in miniature: cubic interpolation as an ONNX graph, with a complete manifest."""

from pathlib import Path
from typing import Literal

import onnx
from onnx import TensorProto, helper

from model_store.manifest import (
    DRAFT,
    MANIFEST_NAME,
    GeneratorContract,
    GeneratorManifest,
    StoredFile,
    TrainingRecord,
    load_generator,
    sha256_of,
)

TINY = "tiny_x4"
RADIUS = 8


def write_tiny_model(
    store: Path, *, version: int = 1, multiple: int = 2, readable: Literal["output", "logits"] = "output"
) -> Path:
    """Write `store/tiny_x4/<version>` and return that folder; sr = clip(cubic(lr)), logits = logit(sr).

    With `readable="logits"` the logits are those of 1 - sr, so that the two pictures differ.
    """
    folder = store / TINY / str(version)
    folder.mkdir(parents=True)
    path = folder / "model.onnx"
    onnx.save(_graph(inverted=readable == "logits"), path)
    manifest = GeneratorManifest(
        name=TINY,
        version=version,
        created="2026-01-01T00:00:00Z",
        model=StoredFile(name=path.name, sha256=sha256_of(path), size=path.stat().st_size),
        contract=GeneratorContract(multiple=multiple, receptive_radius=RADIUS, readable=readable),
        parameters=1,
        training=TrainingRecord(commit="none", steps=0, samples=0, seconds=0, device="none", config={}),
        read_rates=(),
    )
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json())
    return folder


def write_copy(version_dir: Path, *, inverted: bool = False, of: str | None = None) -> Path:
    """Write a draft for a tiny model, and return its folder.

    Args:
        inverted: whether it takes dark for light.
        of: hash of the model that it says to be a copy of, where it is not the truth.
    """
    manifest, model = load_generator(version_dir)
    folder = version_dir / DRAFT
    folder.mkdir()
    path = folder / model.name
    onnx.save(_graph(inverted=inverted), path)
    copy = manifest.model_copy(
        update={
            "name": f"{manifest.name}_int8",
            "model": StoredFile(name=path.name, sha256=sha256_of(path), size=path.stat().st_size),
            "copy_of": of or manifest.model.sha256,
        }
    )
    (folder / MANIFEST_NAME).write_text(copy.model_dump_json())
    return folder


def _graph(*, inverted: bool = False) -> onnx.ModelProto:
    def plane(name: str, rows: str, columns: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, rows, columns])

    def constant(name: str, values: list[float]) -> onnx.TensorProto:
        return helper.make_tensor(name, TensorProto.FLOAT, [len(values)] if len(values) > 1 else [], values)

    nodes = [
        helper.make_node("Resize", ["lr", "", "scales"], ["wide"], mode="cubic", cubic_coeff_a=-0.75),
        helper.make_node("Clip", ["wide", "low", "high"], ["sr"]),
        helper.make_node("Sub", ["one", "sr"], ["rest"]),
        helper.make_node("Div", ["rest", "sr"] if inverted else ["sr", "rest"], ["odds"]),
        helper.make_node("Log", ["odds"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "cubic",
        [plane("lr", "h", "w")],
        [plane("sr", "4h", "4w"), plane("logits", "4h", "4w")],
        [
            constant("scales", [1.0, 1.0, 4.0, 4.0]),
            constant("low", [1e-4]),
            constant("high", [1 - 1e-4]),
            constant("one", [1.0]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
