"""The training run, from top to bottom: data, network, loss, steps, checkpoints. Resumable at any step."""

import itertools
import math
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from training import checkpoint as checkpoints
from training.config import OptimiserConfig, TrainingConfig
from training.data.samples import WEIGHT_SCALE, Samples
from training.data.stream import batches
from training.ema import WeightAverage
from training.initial import load_initial
from training.losses.module import weighted_cross_entropy
from training.models.compact import CompactGenerator
from training.validate import Cell, make_cells, module_errors

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class TrainingError(Exception):
    """The run cannot go on, as when the loss is no number; the message says at which step."""


def train(
    config: TrainingConfig, out: Path, resume: Path | None = None, cache: Path = Path("build/cache")
) -> Path:
    """Train a generator and return the path of its last checkpoint, `out/last.pt`.

    `resume` is a checkpoint to go on from; it must come from the same generator and data configuration, other
    keys (steps, say) may differ. TensorBoard events, sample images and checkpoints go to `out`; symbols that
    were generated before are found again in `cache`.

    Raises:
        TrainingError: the loss became infinite or NaN.
        CheckpointError: `resume` or the configured initial weights cannot be used.
    """
    device = device_of(config)
    torch.manual_seed(config.run.seed)
    generator = CompactGenerator(config.generator).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if config.run.initial and not resume:
        load_initial(generator, config.run.initial)
    average = WeightAverage(generator, config.optimiser.ema_decay)
    optimiser = torch.optim.AdamW(
        generator.parameters(), config.optimiser.learning_rate, weight_decay=config.optimiser.weight_decay
    )
    start, before = _restore(resume, config, generator, average, optimiser, device) if resume else (0, 0.0)

    out.mkdir(parents=True, exist_ok=True)
    log = SummaryWriter(str(out / "events"), purge_step=start)
    cells = make_cells(config, device, cache)
    began = time.monotonic()
    last = out / "last.pt"
    commit = _commit()
    precision = PRECISIONS[config.optimiser.precision]

    def save(step: int) -> None:
        elapsed = before + time.monotonic() - began
        checkpoints.Checkpoint(
            config.model_dump(mode="json"), step, elapsed, commit,
            generator.state_dict(), average.average.state_dict(), optimiser.state_dict(),
        ).save(last)  # fmt: skip

    progress = tqdm(total=config.optimiser.steps, initial=start, desc="train", unit="step", mininterval=5)
    waited = 0.0
    for step, (samples, waiting) in enumerate(_timed(batches(config, start, device, cache)), start + 1):
        if step > config.optimiser.steps:
            break
        for group in optimiser.param_groups:
            group["lr"] = config.optimiser.learning_rate * rate_factor(config.optimiser, step)
        loss = training_loss(generator, samples, precision, device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(generator.parameters(), config.optimiser.gradient_clip)
        if not math.isfinite(float(norm)):
            raise TrainingError(f"step {step}: loss {loss.item()}, gradient norm {float(norm)}")
        optimiser.step()
        average.update(generator, step)

        waited += waiting
        progress.update()
        if step % config.run.log_every == 0:
            _log_scalars(
                log, step, float(loss.detach()), float(norm), optimiser, waited / config.run.log_every
            )
            progress.set_postfix(
                loss=f"{loss.item():.4f}", wait=f"{waited / config.run.log_every * 1000:.0f}ms"
            )
            waited = 0.0
        if step % config.run.validate_every == 0:
            _log_validation(log, step, average.average, cells)
        if step % config.run.image_every == 0:
            _log_images(log, step, average.average, cells[0].samples)
        if step % config.run.checkpoint_every == 0 or step == config.optimiser.steps:
            save(step)
    progress.close()
    log.close()
    return last


def rate_factor(config: OptimiserConfig, step: int) -> float:
    """Share of the configured learning rate at `step` (from 1): linear warm-up, plateau, cosine to zero."""
    warmup = min(1.0, step / max(1, config.warmup_steps))
    tail = config.steps * config.decay_share
    left = config.steps - step
    decay = 0.5 - 0.5 * math.cos(math.pi * min(1.0, left / tail)) if tail else 1.0
    return warmup * decay


def training_loss(
    generator: nn.Module, samples: Samples, precision: torch.dtype, device: torch.device
) -> Tensor:
    """Loss of `generator` on a batch, its forward pass in `precision`; scalar, differentiable."""
    lr = samples.lr.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, precision, enabled=precision != torch.float32):
        logits = generator(lr)
    return weighted_cross_entropy(
        logits.float(), samples.target.float() / 255, samples.weight.float() / WEIGHT_SCALE
    )


def _timed(stream: Iterator[Samples]) -> Iterator[tuple[Samples, float]]:
    """Each batch with the seconds that were spent waiting for it."""
    for _ in itertools.count():
        asked = time.monotonic()
        samples = next(stream)
        yield samples, time.monotonic() - asked


def device_of(config: TrainingConfig) -> torch.device:
    """The device that a run uses: as configured, or CUDA where there is one."""
    if config.run.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.run.device)


def _restore(
    resume: Path,
    config: TrainingConfig,
    generator: nn.Module,
    average: WeightAverage,
    optimiser: torch.optim.Optimizer,
    device: torch.device,
) -> tuple[int, float]:
    state = checkpoints.load(resume, device)
    earlier = state.training_config()
    if earlier.generator != config.generator or earlier.data != config.data:
        raise checkpoints.CheckpointError(f"{resume}: was trained with another generator or other data")
    generator.load_state_dict(state.generator)
    average.average.load_state_dict(state.ema)
    optimiser.load_state_dict(state.optimiser)
    return state.step, state.seconds


def _commit() -> str:
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty"],  # noqa: S607
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _log_scalars(
    log: SummaryWriter, step: int, loss: float, norm: float, optimiser: torch.optim.Optimizer, waited: float
) -> None:
    log.add_scalar("train/loss", loss, step)
    log.add_scalar("train/gradient_norm", norm, step)
    log.add_scalar("train/learning_rate", optimiser.param_groups[0]["lr"], step)
    log.add_scalar("train/seconds_waiting_for_data", waited, step)


def _log_validation(log: SummaryWriter, step: int, generator: nn.Module, cells: list[Cell]) -> None:
    errors = module_errors(generator, cells)
    for name, error in errors.items():
        log.add_scalar(f"module_error/{name}", error, step)
    tqdm.write(f"step {step}: " + ", ".join(f"{name} {error:.4f}" for name, error in errors.items()))


@torch.no_grad()
def _log_images(log: SummaryWriter, step: int, generator: nn.Module, samples: Samples) -> None:
    few = slice(0, 8)
    lr = torch.nn.functional.interpolate(samples.lr[few], scale_factor=4.0, mode="nearest")
    sr = torch.sigmoid(generator(samples.lr[few]).float())
    sheet = torch.cat([lr, sr, samples.target[few].float() / 255], dim=2)
    log.add_image("lr_sr_target", np.concatenate(sheet.cpu().numpy(), axis=2), step)
