"""A copy of a released generator in another precision.

The released version does not change: the copy has a manifest of its own. Inputs and outputs stay float32.

`fp16` is for GPUs: weights and sums are float16. It becomes a release with the name `qr_sr_x4_fp16` and the number of
its original.

`int8` is for CPUs with VNNI: weights and activations have 8 bits (static quantisation, QDQ form). The ranges of
activations come from training crops, never from a test set. They leave out `_CUT` of the values at either end,
because steps wide enough for the few largest values would be coarse for all others. It becomes the version's draft
(`service.generator.draft`), in the folder `draft` beside the original, or, with `--store`, a release with a name of its
own.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from model_store.manifest import (
    DRAFT,
    MANIFEST_NAME,
    GeneratorManifest,
    ManifestError,
    StoredFile,
    load_generator,
    sha256_of,
)

Precision = Literal["fp16", "int8"]
_BATCH = 8
_CROPS_OF_A_CELL = 24
_CUT = 1e-4


def convert(version_dir: Path, store: Path | None, precision: Precision, crops: NDArray[np.float32]) -> Path:
    """Write the copy and return its folder. Its manifest, written last, has no decode rates; they must be measured
    again.

    Args:
        version_dir: folder of the released version.
        store: the copy becomes a release in it; None makes the copy the version's draft.
        crops: `(N, 1, h, w)` in [0, 1], for the ranges of `int8`.

    Raises:
        ManifestError: the version is incomplete, or its copy exists already.
    """
    manifest, model = load_generator(version_dir)
    name = f"{manifest.name}_{precision}"
    folder = store / name / str(manifest.version) if store else version_dir / DRAFT
    if (folder / MANIFEST_NAME).exists():
        raise ManifestError(f"{folder}: a released version never changes")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / model.name
    if precision == "fp16":
        _halve(model, path)
    else:
        _quantise(model, path, manifest.contract.input, crops)
    copy: GeneratorManifest = manifest.model_copy(
        update={
            "name": name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": StoredFile(name=path.name, sha256=sha256_of(path), size=path.stat().st_size),
            "read_rates": (),
            "copy_of": manifest.model.sha256,
            "notes": f"{manifest.name} {manifest.version} in {precision}.",
        }
    )
    (folder / MANIFEST_NAME).write_text(copy.model_dump_json(indent=2) + "\n")
    return folder


def _halve(model: Path, path: Path) -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(model), keep_io_types=True), path)


def _quantise(model: Path, path: Path, name: str, crops: NDArray[np.float32]) -> None:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Crops(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches: Iterator[NDArray[np.float32]] = iter(
                np.split(crops, range(_BATCH, len(crops), _BATCH))
            )

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {name: batch}

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # The sizes of the graph are symbolic; only the shape inference of ONNX itself can follow them.
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(path),
            Crops(),
            quant_format=QuantFormat.QDQ,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": 100 * (1 - _CUT)},
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


def training_crops(config: Path) -> NDArray[np.float32]:
    """Crops as drawn for validation during training, with all its degradations and sizes: `(N, 1, h, w)`."""
    import torch

    from training import config as configs
    from training.validate import make_cells

    cells = make_cells(configs.load(config), torch.device("cpu"), None)
    return np.concatenate([cell.samples.lr[:_CROPS_OF_A_CELL].numpy() for cell in cells]).astype(np.float32)


def difference(first: Path, second: Path, planes: NDArray[np.float32]) -> tuple[float, float]:
    """Largest difference between the logits of two versions, and the share of pixels, among those with a logit beyond 1
    in the first, whose sign differs.

    Args:
        planes: `(N, 1, h, w)` in [0, 1].
    """
    one, two = (_logits(version, planes) for version in (first, second))
    flipped = ((one < 0) != (two < 0)) & (np.abs(one) > 1)
    return float(np.abs(one - two).max()), float(flipped.mean())


def _logits(version_dir: Path, planes: NDArray[np.float32]) -> NDArray[np.float32]:
    manifest, model = load_generator(version_dir)
    if manifest.contract.logits is None:
        raise ManifestError(f"{version_dir}: it has no logits to compare")
    providers = onnxruntime.get_available_providers()
    session = onnxruntime.InferenceSession(str(model), providers=providers)
    made = session.run([manifest.contract.logits], {manifest.contract.input: planes})[0]
    return np.asarray(made, np.float32)
