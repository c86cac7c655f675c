"""The log of a run: TensorBoard events, and the same scalars as JSON Lines."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from training.data.samples import Samples
from training.picture_quality import Quality
from training.validate import Cell, module_errors

LOSSES = "losses.jsonl"
"""One object a line, with `step`, `seconds` (of training so far) and the scalars of `Players.step`."""


class RunLog:
    """Writes into the folder of a run; a resumed run continues at its checkpoint, not where it was killed."""

    def __init__(self, out: Path, start: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._events = SummaryWriter(str(out / "events"), purge_step=start)
        path = out / LOSSES
        kept = _lines_up_to(path, start) if start else []
        self._losses = path.open("w", encoding="utf-8")
        self._losses.writelines(kept)
        self._losses.flush()

    def scalars(self, step: int, seconds: float, values: dict[str, float]) -> None:
        """Write the scalars of a step."""
        for name, value in values.items():
            self._events.add_scalar(f"train/{name}", value, step)
        self._losses.write(json.dumps({"step": step, "seconds": round(seconds, 2)} | values) + "\n")
        self._losses.flush()

    def validation(self, step: int, generator: nn.Module, cells: list[Cell]) -> None:
        """Write the share of wrong modules in each cell."""
        errors = module_errors(generator, cells)
        for name, error in errors.items():
            self._events.add_scalar(f"module_error/{name}", error, step)
        tqdm.write(f"step {step}: " + ", ".join(f"{name} {error:.4f}" for name, error in errors.items()))

    def quality(self, step: int, quality: Quality) -> None:
        """Write the quality of the pictures."""
        self._events.add_scalar("picture/read", quality.read, step)
        self._events.add_scalar("picture/perceptual", quality.perceptual, step)
        tqdm.write(
            f"step {step}: read from the picture {quality.read:.3f}, perceptual {quality.perceptual:.4f}"
        )

    @torch.no_grad()
    def images(self, step: int, generator: nn.Module, samples: Samples) -> None:
        """Write a sheet of LR, the picture of the logits, SR and the target of SR."""
        few = slice(0, 8)
        lr = nn.functional.interpolate(samples.lr[few], scale_factor=4.0, mode="nearest")
        outputs = generator(samples.lr[few])
        shown = samples.picture[few].float() / 255
        sheet = torch.cat([lr, torch.sigmoid(outputs.logits).float(), outputs.sr.float(), shown], dim=2)
        self._events.add_image("lr_logits_sr_target", np.concatenate(sheet.cpu().numpy(), axis=2), step)

    def close(self) -> None:
        """Flush and close the files."""
        self._events.close()
        self._losses.close()


def _lines_up_to(path: Path, step: int) -> list[str]:
    if not path.is_file():
        return []
    whole = [
        line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")
    ]
    return [line for line in whole if json.loads(line)["step"] <= step]
