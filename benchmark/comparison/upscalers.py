"""Upscalers: kernels, our generator, and peer networks."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmark.comparison.arms import Image
from benchmark.errors import BenchmarkError
from model_store import contract
from model_store.manifest import MANIFEST_NAME, Calibration, load_generator
from scoring.generator import Enlarged, Readable, Upscale, generator, session_of
from service.generator.draft import copy_of

KERNELS = {"nearest": cv2.INTER_NEAREST, "bicubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}
OURS = "ours"
DRAFT = "draft"
"""The generator's 8-bit copy, whose image `/decode` reads first."""
_SUPERRES_NAME = re.compile(r"([A-Za-z]+)_x([234])", re.ASCII)


class UpscalerError(BenchmarkError):
    """A model cannot be used; the message names its file and the reason."""


@dataclass(frozen=True, slots=True)
class UpscalerSpec:
    """Names an upscaler; small and picklable."""

    name: str
    kind: Literal["kernel", "generator", "onnx", "superres"]
    path: Path | None = None

    @classmethod
    def kernel(cls, name: str) -> Self:
        """One of `KERNELS`."""
        return cls(name, "kernel")

    @classmethod
    def generator(cls, path: Path, name: str = OURS) -> Self:
        """Our generator: a version folder with its manifest, or an ONNX file alone."""
        return cls(name, "generator", path)

    @classmethod
    def peer(cls, option: str) -> Self:
        """From `NAME=FILE`.

        Raises:
            UpscalerError: another form, no such file, or neither .onnx nor .pb.
        """
        name, separator, file = option.partition("=")
        path = Path(file)
        if not separator or not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            raise UpscalerError(f"--peer {option}: write NAME=FILE")
        if not path.is_file():
            raise UpscalerError(f"--peer {option}: no such file")
        if path.suffix == ".onnx":
            return cls(name, "onnx", path)
        if path.suffix == ".pb":
            return cls(name, "superres", path)
        raise UpscalerError(f"--peer {option}: .onnx and .pb (OpenCV dnn_superres) are known")


@dataclass(frozen=True, slots=True)
class GeneratorFile:
    """A generator of ours as the benchmark uses it."""

    path: Path
    multiple: int
    readable: Readable
    calibration: Calibration | None
    identity: str
    """Its name in the report."""


def generator_file(path: Path) -> GeneratorFile:
    """A version folder, verified, or a bare ONNX file.

    Raises:
        ManifestError: the folder is incomplete or altered.
        UpscalerError: there is nothing at `path`.
    """
    if (path / MANIFEST_NAME).is_file():
        manifest, model = load_generator(path)
        identity = f"{manifest.name}/{manifest.version} ({manifest.model.sha256[:12]})"
        contract = manifest.contract
        return GeneratorFile(model, contract.multiple, contract.readable, manifest.calibration, identity)
    if path.is_file():
        from model_store.manifest import sha256_of

        return GeneratorFile(path, 2, "output", None, f"{path.name} ({sha256_of(path)[:12]})")
    raise UpscalerError(f"{path}: neither a released model version nor an ONNX file")


def draft_of(spec: UpscalerSpec) -> UpscalerSpec | None:
    """The 8-bit copy of a released generator of ours, or None."""
    folder = copy_of(spec.path) if spec.kind == "generator" and spec.path is not None else None
    return UpscalerSpec.generator(folder, DRAFT) if folder is not None else None


def build_upscaler(spec: UpscalerSpec, threads: int = 1) -> Upscale:
    """The upscaler itself, on `threads` cores.

    Raises:
        UpscalerError: the kind of the model is unknown.
    """
    if spec.kind == "kernel":
        return _kernel(KERNELS[spec.name])
    if spec.path is None:
        raise UpscalerError(f"{spec.name}: no file")
    if spec.kind == "generator":
        file = generator_file(spec.path)
        return generator(session_of(file.path, threads), file.multiple, file.readable)
    if spec.kind == "onnx":
        return onnx_peer(session_of(spec.path, threads), spec.name)
    return _superres(spec.path)


def onnx_peer(session: onnxruntime.InferenceSession, name: str) -> Upscale:
    """Any network with one image in and one out, `(n, 1 or 3, h, w)` in [0, 1]; padded to even sides."""
    source, target = session.get_inputs()[0], session.get_outputs()[0]
    channels = source.shape[1]
    if len(source.shape) != 4 or channels not in (1, 3):
        raise UpscalerError(f"{name}: takes {source.shape}, not (n, 1 or 3, h, w)")

    def run(image: Image) -> NDArray[np.float32]:
        tensor = np.repeat(contract.to_tensor(image), channels, axis=1)
        result: Any = session.run([target.name], {source.name: tensor})[0]
        return np.asarray(result[0], np.float32)

    # The size of the output gives the scale.
    scale = run(np.zeros((32, 32), np.uint8)).shape[-1] // 32

    def upscale(image: Image) -> Enlarged:
        height, width = image.shape
        result = run(contract.pad_to_multiple(image, 2))[:, : scale * height, : scale * width]
        if channels == 1:
            return Enlarged(contract.quantise(result[0]))
        return Enlarged(contract.luma(np.ascontiguousarray(contract.quantise(result).transpose(1, 2, 0))))

    return upscale


def _kernel(interpolation: int) -> Upscale:
    def upscale(image: Image) -> Enlarged:
        height, width = image.shape
        size = (contract.SCALE * width, contract.SCALE * height)
        return Enlarged(np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8))

    return upscale


def superres_of(path: Path) -> tuple[str, int]:
    """Architecture and scale from the name of a dnn_superres file, for example `FSRCNN_x4.pb`.

    Raises:
        UpscalerError: the name does not have them.
    """
    match = _SUPERRES_NAME.search(path.stem)
    if not match:
        raise UpscalerError(
            f"{path}: a dnn_superres file is named after its kind and scale, like FSRCNN_x4.pb"
        )
    return match[1].lower(), int(match[2])


def _superres(path: Path) -> Upscale:
    kind, scale = superres_of(path)
    model = cv2.dnn_superres.DnnSuperResImpl.create()
    try:
        model.readModel(str(path))
        model.setModel(kind, scale)
    except cv2.error as error:
        raise UpscalerError(f"{path}: OpenCV does not take it: {error}") from error

    def upscale(image: Image) -> Enlarged:
        colour = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
        return Enlarged(np.asarray(cv2.cvtColor(model.upsample(colour), cv2.COLOR_BGR2GRAY), np.uint8))

    return upscale
