"""VGG19's weights: from a given file, or the published file, checked by its hash."""

import hashlib
import os
import urllib.request
from pathlib import Path

import torch
from torch import Tensor

URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
"""torchvision's weights; the name ends in the first digits of the file's SHA-256."""
SHA256_PREFIX = "dcbb9e9d"
VARIABLE = "QRSR_VGG19"
"""Environment variable that names the file, so that a configuration need not have the paths of a machine."""
_TIMEOUT = 60


class WeightsError(Exception):
    """There are no usable weights of VGG19; the message says in one line what to do."""


def load_weights(path: Path | None, cache: Path, url: str = URL) -> dict[str, Tensor]:
    """VGG19's tensors under torchvision's names.

    From `path` if given, else from the file that the environment variable `QRSR_VGG19` names, else from the published
    file, which is kept in the folder `cache`. Random weights are never used, because a loss from them would mean
    nothing.

    Raises:
        WeightsError: the file is missing, damaged or of another kind; the download failed or has another hash.
    """
    named = os.environ.get(VARIABLE)
    found = path or (Path(named) if named else _published(cache, url))
    try:
        # Only tensors: a file from elsewhere cannot run code.
        weights = torch.load(found, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).split("\n", 1)[0]
        raise WeightsError(f"{found}: no weights of VGG19 ({type(error).__name__}: {reason})") from error
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise WeightsError(f"{found}: no weights of VGG19 (not a dictionary of tensors)")
    if "features.0.weight" not in weights:
        raise WeightsError(f"{found}: no weights of VGG19 (no tensor features.0.weight)")
    return weights


def _published(cache: Path, url: str) -> Path:
    file = cache / URL.rpartition("/")[2]
    if file.is_file() and _matches(file):
        return file
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, partial.open("wb") as stream:  # noqa: S310
            while block := answer.read(1 << 20):
                stream.write(block)
        if not _matches(partial):
            raise WeightsError(f"{url}: the download is not the published file (SHA-256 {SHA256_PREFIX}...)")
        partial.rename(file)
    except OSError as error:
        raise WeightsError(
            f"perceptual.weights and {VARIABLE} are not set and {url} cannot be had ({error}); "
            "name a file of VGG19's weights"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return file


def _matches(file: Path) -> bool:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest().startswith(SHA256_PREFIX)
