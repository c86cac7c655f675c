"""Distance of enlarged pictures from the truth, on synthetic pictures that no training has seen."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model_store import contract
from scoring.generator import Upscale
from training.data.config import DataConfig, DegradationConfig, SceneConfig, SymbolConfig
from training.data.samples import Materials, Samples, SampleSource
from training.losses.config import LossConfig
from training.validate import sample_errors

KINDS = ("camera", "second_order", "jpeg_10")
"""Degradations of the pictures, an equal share each."""
PX_PER_MODULE = 1.5
LR_SIZE = 96
"""Side in LR pixels, which gives 4x4 patches of NIQE at HR."""
PICTURES = 6
"""Pictures of each kind."""
_SEED = 9_300_007
"""Differs from the seeds of training, validation, calibration and benchmarks."""


@dataclass(frozen=True)
class Fidelity:
    """Means over pictures."""

    psnr: float
    """Peak signal-to-noise ratio in dB, of luma."""
    ssim: float
    """Structural similarity (Wang et al. 2004), at most 1."""
    niqe: float | None
    """Distance from the statistics of natural pictures (Mittal et al. 2013), where less counts as better; None if not
    computed."""
    module_error: float
    """Share of wrong modules at the true module centres."""


def unseen(count: int, cache: Path | None = None) -> list[Samples]:
    """`count` pictures of each of `KINDS`, with their clean HR pictures and the position of every module."""
    device = torch.device("cpu")
    found = []
    for kind in KINDS:
        data = DataConfig(
            seed=_SEED,
            lr_size=LR_SIZE,
            textures=24,
            symbols=SymbolConfig(count=120, versions=(2, 12)),
            scene=SceneConfig(px_per_module=(PX_PER_MODULE, PX_PER_MODULE), hard_share=0.0),
            degradation=DegradationConfig.model_validate({"kind": kind}),
        )
        materials = Materials.make(data, device, cache)
        found.append(SampleSource(data, LossConfig(), materials, device).chunk(0, count))
    return found


def fidelity(upscale: Upscale, pictures: list[Samples], *, natural: bool = True) -> Fidelity:
    """The fidelity of `upscale` on the LR of `pictures`; with NIQE, which takes longest, if `natural`.

    Module errors are counted in its logits or, if it gives none, in its picture against mid-grey.
    """
    psnr, ssim, naturalness, errors = [], [], [], []
    for samples in pictures:
        made = [upscale(contract.quantise(lr)) for lr in samples.lr[:, 0].numpy()]
        for enlarged, hr in zip(made, samples.target[:, 0].numpy(), strict=True):
            psnr.append(cv2.PSNR(enlarged.shown, hr))
            # OpenCV's type stubs lack its module `quality`.
            ssim.append(cv2.quality.QualitySSIM_compute(hr, enlarged.shown)[0][0])  # type: ignore[attr-defined]
            if natural:
                naturalness.append(niqe(enlarged.shown))
        planes = [
            enlarged.sr.astype(np.float32) - 127.5 if enlarged.logits is None else enlarged.logits
            for enlarged in made
        ]
        errors += sample_errors(samples, torch.from_numpy(np.stack(planes))[:, None])
    return Fidelity(
        float(np.mean(psnr)),
        float(np.mean(ssim)),
        float(np.mean(naturalness)) if natural else None,
        float(np.mean(errors)),
    )


def niqe(picture: NDArray[np.uint8]) -> float:
    """NIQE of luma `(H, W)`, both sides above 192; scikit-video's implementation and statistics."""
    # Imported here, because only this needs SciPy.
    from skvideo.measure import niqe as measured

    return float(measured(picture.astype(np.float32))[0])
