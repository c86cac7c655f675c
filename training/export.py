"""From a checkpoint to an ONNX graph that computes the same."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.checkpoint import Checkpoint
from training.initial import PREFIX
from training.models.factory import build_generator
from training.models.generator import Generator, Outputs

TOLERANCE = 1e-3
"""Largest allowed difference between the logits of torch and ONNX Runtime, which add float32 numbers in another order.
A probability changes by at most a quarter of the change of its logit."""

PARITY_SHAPES = ((1, 8, 8), (1, 16, 20), (3, 40, 64), (2, 132, 100), (1, 256, 96), (5, 12, 200))
"""Batch, height and width of the compared inputs. Several sizes, because exporters can freeze sizes."""


class ExportError(Exception):
    """The exported graph does not compute what the network does."""


class _Named(nn.Module):
    """A generator with the names that its weights have in the graph."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator
        self.eval()

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        outputs: Outputs = self.generator(lr)
        return outputs.sr, outputs.logits


def generator_of(checkpoint: Checkpoint) -> Generator:
    """The averaged generator of a checkpoint, ready for inference on the CPU."""
    generator = build_generator(checkpoint.training_config().generator)
    generator.load_state_dict(checkpoint.ema)
    return generator.eval()


def write_onnx(generator: Generator, path: Path) -> None:
    """Write the graph with dynamic batch, height and width, and check it against torch.

    Height and width of its inputs are multiples of `generator.multiple`.

    Raises:
        ExportError: the outputs differ by more than `TOLERANCE` at some shape.
    """
    batch, cell_height, cell_width = (torch.export.Dim(name) for name in ("n", "cell_h", "cell_w"))
    multiple = generator.multiple
    program = torch.onnx.export(
        _Named(generator),
        (torch.zeros(2, generator.in_channels, 24, 32),),
        dynamo=True,
        verbose=False,
        external_data=False,
        input_names=["lr"],
        output_names=["sr", "logits"],
        dynamic_shapes={"lr": {0: batch, 2: multiple * cell_height, 3: multiple * cell_width}},
    )
    if program is None:
        raise ExportError("the exporter returned no program")
    model = program.model_proto
    _strip(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    _check(generator, path)


def rewrite_onnx(graph: Path, generator: Generator, path: Path) -> None:
    """Write a copy of `graph`, an exported generator of the same shape, with the weights of `generator`.

    The exporter takes seconds; copying is immediate. The copy is checked against torch as well.

    Raises:
        ExportError: the graph is of another shape, or the outputs differ by more than `TOLERANCE`.
    """
    model = onnx.load(graph)
    weights = generator.state_dict()
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix(PREFIX)
        if name in weights:
            if tuple(tensor.dims) != tuple(weights[name].shape):
                raise ExportError(f"{graph}: the graph of another generator ({name})")
            tensor.CopyFrom(numpy_helper.from_array(weights[name].numpy(), tensor.name))
    onnx.save(model, path)
    _check(generator, path)


def _check(generator: Generator, path: Path) -> None:
    difference = parity(generator, path)
    if difference > TOLERANCE:
        raise ExportError(
            f"{path}: logits differ from torch's by {difference:.2e}, more than {TOLERANCE:.0e}"
        )


def parity(generator: Generator, path: Path) -> float:
    """Largest absolute difference of either output between torch and ONNX Runtime over `PARITY_SHAPES`."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for batch, height, width in PARITY_SHAPES:
        lr = rng.random((batch, generator.in_channels, height, width), np.float32)
        image, logits = session.run(["sr", "logits"], {"lr": lr})
        with torch.no_grad():
            expected = Outputs(*(output.numpy() for output in generator(torch.from_numpy(lr))))
        for given, wanted in ((image, expected.sr), (logits, expected.logits)):
            if given.shape != wanted.shape:
                raise ExportError(f"{path}: {lr.shape} gives {given.shape} instead of {wanted.shape}")
            worst = max(worst, float(np.abs(given - wanted).max()))
    return worst


def _strip(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes on the source code, because they name local paths."""
    model.producer_name, model.doc_string = "qr-super-resolution", ""
    del model.metadata_props[:]
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
