"""Quality of a generator's pictures on held-out crops: what zxing-cpp reads, and their distance by VGG19."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import zxingcpp
from torch import Tensor, nn

from training.config import TrainingConfig
from training.data.config import SymbolConfig
from training.data.samples import Materials, Samples, SampleSource
from training.losses.perceptual import VGG19Features
from training.losses.vgg_weights import load_weights
from training.objective import shown

SEED_OFFSET = 2_000_003
"""Added to the data's seed: these crops are neither those of the training nor those of its validation."""
LAYER = "conv3_4"
"""Layer of VGG19: deep enough for edges and textures, cheap enough for each validation."""
_SYMBOLS = SymbolConfig(count=200, versions=(1, 5))
_PX_PER_MODULE = (1.2, 2.0)
_LR_SIZE = 64
_BATCH = 16
_FORMATS = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])


class Quality(NamedTuple):
    """The quality of a generator's pictures."""

    read: float
    """Share of the crops, in [0, 1], that zxing-cpp reads."""
    perceptual: float
    """Mean absolute difference of VGG19's features between the pictures and their targets; 0 is equal."""

    def at_least_as_readable(self, other: "Quality", crops: int) -> bool:
        """Whether its read rate is that of `other` or higher, within two standard errors of the difference on `crops`
        crops."""
        error = np.sqrt(2 * max(other.read * (1 - other.read), 1 / crops) / crops)
        return bool(self.read >= other.read - 2 * error)


@dataclass(frozen=True)
class QualityCrops:
    """Crops with the whole symbol inside, and the VGG19 features of their target pictures."""

    samples: Samples
    vgg: VGG19Features
    expected: Tensor

    @staticmethod
    @torch.no_grad()
    def make(config: TrainingConfig, device: torch.device, cache: Path) -> "QualityCrops":
        """Draw `config.run.quality_crops` crops as the configuration degrades them.

        Raises:
            WeightsError: there are no weights of VGG19.
        """
        scene = config.data.scene.model_copy(
            update={"px_per_module": _PX_PER_MODULE, "hard_share": 0.0, "large_share": 0.0}
        )
        data = config.data.model_copy(
            update={
                "seed": config.data.seed + SEED_OFFSET, "symbols": _SYMBOLS, "scene": scene, "lr_size": _LR_SIZE,
                "sharpen_target": False,
            }
        )  # fmt: skip
        source = SampleSource(data, config.loss, Materials.make(data, device, cache), device)
        kept: list[Samples] = []
        number = 0
        while sum(len(part) for part in kept) < config.run.quality_crops:
            chunk = source.chunk(number, _BATCH)
            whole = [k for k, clean in enumerate(chunk.target[:, 0].cpu().numpy()) if _reads(clean)]
            kept.append(chunk.select(torch.tensor(whole, dtype=torch.int64, device=device)))
            number += 1
        samples = Samples.concatenate(kept).select(torch.arange(config.run.quality_crops, device=device))
        weights = load_weights(config.perceptual.weights, cache)
        vgg = VGG19Features(weights, LAYER, before_activation=False).to(device)
        return QualityCrops(samples, vgg, _features(vgg, shown(samples)))

    @torch.no_grad()
    def measure(self, generator: nn.Module) -> Quality:
        """The quality of the pictures that `generator`, ready for inference, makes of the crops."""
        made = torch.cat([generator(lr).sr.float() for lr in torch.split(self.samples.lr, _BATCH)]).clamp(
            0, 1
        )
        read = np.mean([_reads(image) for image in (made[:, 0] * 255).round().to(torch.uint8).cpu().numpy()])
        distance = (_features(self.vgg, made).float() - self.expected.float()).abs().mean()
        return Quality(float(read), float(distance))


def _features(vgg: VGG19Features, images: Tensor) -> Tensor:
    """In half precision, which halves the memory and is much finer than the compared differences."""
    return torch.cat([vgg(part).half() for part in torch.split(images, _BATCH)])


def _reads(image: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> bool:
    found = zxingcpp.read_barcodes(np.ascontiguousarray(image), formats=_FORMATS)
    return any(barcode.valid for barcode in found)
