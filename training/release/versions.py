"""Makes a checkpoint an immutable model version: graph, calibration, decode rates, and the manifest last."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from model_store.manifest import (
    MANIFEST_NAME,
    Calibration,
    GeneratorContract,
    GeneratorManifest,
    StoredFile,
    TrainingRecord,
    sha256_of,
)
from training.checkpoint import Checkpoint
from training.export import generator_of, write_onnx
from training.release.calibration import calibrated, evidence
from training.release.generated_logits import KINDS, whole_symbols
from training.release.read_rates import read_rates

MODEL_NAME = "model.onnx"
WECHAT = "wechat_qr/1"
"""Folder of WeChat's nets in a store."""
_CALIBRATION_SIZES = (1.1, 1.2, 1.35)
"""LR pixels per module at which readers need the calibration."""
_CALIBRATION_SEED = 7_100_003
"""Differs from the seeds of training, validation and benchmarks."""


class ReleaseError(Exception):
    """The version cannot be released under this number."""


def release(
    checkpoint: Checkpoint,
    store: Path,
    name: str,
    version: int,
    *,
    symbols: int,
    crops: int,
    device: str,
    notes: str = "",
    wechat: Path | None = None,
    cache: Path | None = None,
) -> Path:
    """Write model version `store/name/version` and return its folder.

    `symbols` is the number of symbols per cell of the calibration, `crops` that of held-out crops in each decode
    rate; 0 leaves either out. `device` says what the training ran on. `wechat` is the
    folder of WeChat's nets, by default that of the store. Progress goes to standard error.

    Raises:
        ReleaseError: the version exists, or the generator takes colour.
        ExportError: the graph fails its parity check.
        ReaderMissingError: WeChat's nets, which read the crops, are not in the store.
    """
    folder = store / name / str(version)
    if folder.exists():
        raise ReleaseError(f"{folder} exists; a released version never changes, choose another number")
    generator = generator_of(checkpoint)
    if generator.in_channels != 1:
        raise ReleaseError(
            f"generator.in_channels is {generator.in_channels}, but the service gives its generators luma alone"
        )
    config = checkpoint.training_config()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as scratch:
        partial = Path(scratch) / "version"
        partial.mkdir()
        model = partial / MODEL_NAME
        write_onnx(generator, model)
        contract = GeneratorContract(
            multiple=generator.multiple,
            receptive_radius=generator.receptive_radius,
            readable="logits" if generator.draws_scene else "output",
        )
        manifest = GeneratorManifest(
            name=name,
            version=version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            model=StoredFile(name=MODEL_NAME, sha256=sha256_of(model), size=model.stat().st_size),
            contract=contract,
            parameters=sum(parameter.numel() for parameter in generator.parameters()),
            training=TrainingRecord(
                commit=checkpoint.commit,
                steps=checkpoint.step,
                samples=checkpoint.step * config.optimiser.batch,
                seconds=round(checkpoint.seconds, 1),
                device=device,
                config=config.model_dump(mode="json"),
            ),
            read_rates=read_rates(model, contract, wechat or store / WECHAT, crops) if crops else (),
            calibration=calibrate(model, symbols, cache) if symbols else None,
            notes=" ".join(filter(None, (checkpoint.notes, notes))),
        )
        (partial / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        # One rename makes the whole version appear, so that no reader finds an incomplete one.
        shutil.move(partial, folder)
    return folder


def calibrate(model: Path, symbols: int, cache: Path | None = None) -> Calibration:
    """The calibration of the generator `model` (ONNX), measured on `symbols` symbols per cell."""
    cells = tqdm(
        [(kind, size) for kind in KINDS for size in _CALIBRATION_SIZES], desc="calibration", unit="cell"
    )
    seen = (
        symbol.truth
        for kind, size in cells
        for symbol in whole_symbols(model, kind, size, symbols, _CALIBRATION_SEED, cache)
    )
    table = calibrated(*evidence(seen))
    return Calibration(
        logit=tuple(round(value, 4) for value in table.logit),
        llr=tuple(round(value, 4) for value in table.llr),
    )
