"""Multiply-accumulates and parameters of a network."""

from math import prod
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime

_COUNTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def onnx_parameters(path: Path) -> int:
    """Elements of all floating-point constants of a graph."""
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    return sum(
        prod(tensor.dims) for tensor in onnx.load(path).graph.initializer if tensor.data_type in floats
    )


def onnx_macs(path: Path, height: int, width: int) -> int:
    """Multiply-accumulates of convolutions and matrix products for one image of that size.

    Shapes are the real ones: the input and output of every counted node become outputs of the graph, and the graph is
    run.
    """
    model = onnx.load(path)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type in _COUNTED]
    present = {output.name for output in model.graph.output} | {entry.name for entry in model.graph.input}
    wanted = dict.fromkeys(
        name for node in nodes for name in (node.input[0], node.output[0]) if name not in present
    )
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    picture = np.zeros((1, source.shape[1], height, width), np.float32)
    names = [output.name for output in session.get_outputs()]
    shapes = {source.name: picture.shape}
    for name, value in zip(names, session.run(names, {source.name: picture}), strict=True):
        shapes[name] = value.shape
    return sum(_macs(node, shapes, weights) for node in nodes)


def _macs(
    node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]], weights: dict[str, tuple[int, ...]]
) -> int:
    second = weights.get(node.input[1]) or shapes[node.input[1]]
    if node.op_type == "Conv":
        # Weights are (out, in / groups, height, width).
        return prod(shapes[node.output[0]]) * prod(second[1:])
    if node.op_type == "ConvTranspose":
        # Weights are (in, out / groups, height, width); every input element is multiplied with all of its own.
        return prod(shapes[node.input[0]]) * prod(second[1:])
    return prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]


def superres_cost(path: Path, height: int, width: int) -> tuple[int, int]:
    """Multiply-accumulates and parameters of a dnn_superres file, as OpenCV counts its operations."""
    net = cv2.dnn.readNetFromTensorflow(str(path))
    flops = int(net.getFLOPS((1, 1, height, width)))
    weights = net.getMemoryConsumption((1, 1, height, width))[0]
    return flops // 2, int(weights) // 4
