"""A half-precision copy of a released generator, for GPUs: `python -m training.half --help`.

The copy is a release of its own, under its own name (`qr_sr_x4_fp16`) and the number of the one it was made from, so
that nothing that is released changes. Inputs and outputs stay float32; weights and sums between are float16.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.transformers.float16 import convert_float_to_float16

from model_store.manifest import (
    MANIFEST_NAME,
    GeneratorManifest,
    ManifestError,
    StoredFile,
    load_generator,
    sha256_of,
)

SUFFIX = "_fp16"


def halve(version_dir: Path, store: Path) -> Path:
    """Write the copy and return its folder. Its manifest, written last, has no decode rates: they are measured anew.

    Raises:
        ManifestError: the version is not whole, or its copy is there already.
    """
    manifest, model = load_generator(version_dir)
    folder = store / (manifest.name + SUFFIX) / str(manifest.version)
    if (folder / MANIFEST_NAME).exists():
        raise ManifestError(f"{folder}: a released version never changes")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / model.name
    onnx.save(convert_float_to_float16(onnx.load(model), keep_io_types=True), path)
    copy: GeneratorManifest = manifest.model_copy(
        update={
            "name": manifest.name + SUFFIX,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": StoredFile(name=path.name, sha256=sha256_of(path), size=path.stat().st_size),
            "read_rates": (),
            "notes": f"{manifest.name} {manifest.version} in half precision.",
        }
    )
    (folder / MANIFEST_NAME).write_text(copy.model_dump_json(indent=2) + "\n")
    return folder


def difference(first: Path, second: Path, planes: NDArray[np.float32]) -> tuple[float, float]:
    """Largest difference of two versions' logits, and the share of pixels that only one of them takes for dark.

    Args:
        planes: `(N, 1, h, w)` in [0, 1].
    """
    logits = [_logits(version, planes) for version in (first, second)]
    flipped = (logits[0] < 0) != (logits[1] < 0)
    return float(np.abs(logits[0] - logits[1]).max()), float(flipped.mean())


def _logits(version_dir: Path, planes: NDArray[np.float32]) -> NDArray[np.float32]:
    manifest, model = load_generator(version_dir)
    if manifest.contract.logits is None:
        raise ManifestError(f"{version_dir}: it has no logits to compare")
    providers = onnxruntime.get_available_providers()
    session = onnxruntime.InferenceSession(str(model), providers=providers)
    made = session.run([manifest.contract.logits], {manifest.contract.input: planes})[0]
    return np.asarray(made, np.float32)


def main() -> int:
    """Make the copy and say by how much it differs. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.half", description=__doc__)
    parser.add_argument(
        "version", type=Path, help="folder of the released version, model_store/qr_sr_x4/1 say"
    )
    parser.add_argument("--store", type=Path, default=Path("model_store"), help="default: model_store")
    options = parser.parse_args()
    try:
        folder = halve(options.version, options.store)
    except ManifestError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    planes = np.random.default_rng(0).random((4, 1, 128, 128), np.float32)
    largest, flipped = difference(options.version, folder, planes)
    print(
        f"{folder}: logits differ by {largest:.3f} at most, {100 * flipped:.4f} % of the pixels change sides"
    )
    print(
        f"decode rates: python -m training evaluate paper --model {folder} --out build/fp16, and without --model"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
