"""Training pictures from disk: a folder of HR pictures, or HR and LR pairs of the same names."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm import tqdm

from training.config import ConfigError
from training.data.config import DataConfig, FolderConfig
from training.data.degradation import MARGIN, degrade
from training.data.samples import WEIGHT_SCALE, Samples, draw_px_per_module, reproduced

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
_KEPT_BYTES = 1 << 30
"""Decoded pictures that a source keeps in memory."""
_LISTED = 20
"""Most skipped files that the report names; it gives the number of the others."""


class FolderError(ConfigError):
    """The folder cannot be used for training; the message names it and the reason in one line."""


@dataclass(frozen=True)
class Entry:
    """One HR picture, or one pair."""

    hr: Path
    lr: Path | None


@dataclass(frozen=True)
class Listing:
    """The contents of a folder."""

    entries: tuple[Entry, ...]
    """In the order of their names."""
    skipped: tuple[tuple[Path, str], ...]
    """Files that cannot be used, with the reason."""

    def report(self) -> str:
        """A text with the files used, and with each skipped file on a line of its own."""
        pairs = any(entry.lr for entry in self.entries)
        lines = [
            f"{len(self.entries)} {'pairs' if pairs else 'pictures'} used, {len(self.skipped)} files skipped"
        ]
        lines += [f"  skipped {path}: {reason}" for path, reason in self.skipped[:_LISTED]]
        if len(self.skipped) > _LISTED:
            lines.append(f"  and {len(self.skipped) - _LISTED} more")
        return "\n".join(lines)


def scan(config: DataConfig) -> Listing:
    """Decode every file once and list the usable ones: readable, paired, four times as large, not too small.

    Raises:
        FolderError: `data.folder` is not set, a folder is missing, or no file in it can be used.
    """
    folder = _configured(config)
    skipped: list[tuple[Path, str]] = []
    hr = _files(folder.hr, "hr", skipped)
    lr = _files(folder.lr, "lr", skipped) if folder.lr else {}
    entries = []
    for stem in tqdm(sorted(hr.keys() | lr.keys()), "pictures", disable=len(hr) < 1000):
        if folder.lr and (stem not in hr or stem not in lr):
            present, missing = (hr[stem], folder.lr) if stem in hr else (lr[stem], folder.hr)
            skipped.append((present, f"no picture of that name in {missing}"))
            continue
        entry = Entry(hr[stem], lr.get(stem))
        problem = _problem(entry, config)
        if problem:
            skipped.append(problem)
        else:
            entries.append(entry)
    if not entries:
        why = f"; {skipped[0][0].name}: {skipped[0][1]}" if skipped else ""
        raise FolderError(
            f"data.folder: nothing in {folder.hr} can be trained on ({len(skipped)} files skipped{why})"
        )
    return Listing(tuple(entries), tuple(skipped))


class FolderSource:
    """Makes any chunk of random crops from its number alone, so that a run can resume at any step."""

    def __init__(self, config: DataConfig, listing: Listing, device: torch.device) -> None:
        self._config, self._entries, self._device = config, listing.entries, device
        self._kept: OrderedDict[Path, NDArray[np.uint8]] = OrderedDict()
        self._kept_bytes = 0

    def chunk(self, number: int, count: int | None = None) -> Samples:
        """Chunk `number` of `count` samples, `config.chunk` by default; equal numbers give equal samples.

        The symbols in a folder are unknown: `version`, `modules` and `bend` are zero, `pixel_to_module` is the
        identity, and every pixel has weight 1.
        """
        config = self._config
        count = count or config.chunk
        rng = np.random.default_rng([config.seed, 0xF0, number])
        noise = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        chosen = [self._entries[index] for index in rng.integers(0, len(self._entries), count)]
        if chosen[0].lr:
            hr, lr = (
                self._tensor(part) for part in zip(*(self._pair(entry, rng) for entry in chosen), strict=True)
            )
        else:
            pictures = self._tensor([self._crop(entry.hr, rng) for entry in chosen])
            lr = degrade(
                pictures, draw_px_per_module(config.scene, count, rng), config.degradation, rng, noise
            )
            hr = pictures[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]
        target = (reproduced(hr, config) * 255).round().to(torch.uint8)
        return Samples(
            lr=lr,
            target=target,
            aim=target,
            picture=target,
            weight=torch.full_like(target[:, :1], WEIGHT_SCALE),
            modules=torch.zeros(count, 1, 1, dtype=torch.uint8, device=self._device),
            version=torch.zeros(count, dtype=torch.int64, device=self._device),
            pixel_to_module=torch.eye(3, dtype=torch.float64, device=self._device).repeat(count, 1, 1),
            bend=torch.zeros(count, 2, dtype=torch.float64, device=self._device),
        )

    def _pair(self, entry: Entry, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The same crop of both pictures of a pair."""
        assert entry.lr is not None  # noqa: S101 - for the type checker; the caller has looked
        lr, hr, size = self._load(entry.lr), self._load(entry.hr), self._config.lr_size
        top, left = (int(rng.integers(extent - size + 1)) for extent in lr.shape[1:])
        return (
            hr[:, 4 * top : 4 * (top + size), 4 * left : 4 * (left + size)],
            lr[:, top : top + size, left : left + size],
        )

    def _crop(self, path: Path, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A crop with `MARGIN` pixels around it, reflected beyond the borders of the picture."""
        hr, size = self._load(path), 4 * self._config.lr_size
        top, left = (int(rng.integers(extent - size + 1)) for extent in hr.shape[1:])
        padded = np.pad(hr, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), mode="symmetric")
        return padded[:, top : top + size + 2 * MARGIN, left : left + size + 2 * MARGIN]

    def _tensor(self, crops: "list[NDArray[np.uint8]] | tuple[NDArray[np.uint8], ...]") -> Tensor:
        return torch.from_numpy(np.stack(crops)).to(self._device).float() / 255

    def _load(self, path: Path) -> NDArray[np.uint8]:
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        picture = read(path, self._config.channels)
        self._kept[path] = picture
        self._kept_bytes += picture.nbytes
        while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return picture


def read(path: Path, channels: int) -> NDArray[np.uint8]:
    """A picture `(C, H, W) uint8`: luma (ITU-R BT.601) for one channel, RGB for three, upright, without alpha.

    Raises:
        OSError, ValueError, SyntaxError: it cannot be decoded completely.
    """
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened)
        if upright.mode.startswith("I"):
            # 16 bits a pixel; Pillow's conversion would clip them.
            upright = Image.fromarray(
                (np.asarray(upright).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
            )
        pixels = np.asarray(upright.convert("L" if channels == 1 else "RGB"))
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def _configured(config: DataConfig) -> FolderConfig:
    if config.folder is None:
        raise FolderError("data.folder: not set")
    for key, path in (("hr", config.folder.hr), ("lr", config.folder.lr)):
        if path is not None and not path.is_dir():
            raise FolderError(f"data.folder.{key}: {path} is no folder")
    return config.folder


def _files(folder: Path, key: str, skipped: list[tuple[Path, str]]) -> dict[str, Path]:
    """Pictures by the stem of their names, without hidden files."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix.lower() not in _SUFFIXES:
            skipped.append((path, "no picture by its suffix"))
        elif path.stem in found:
            skipped.append((path, f"{found[path.stem].name} has the same name in data.folder.{key}"))
        else:
            found[path.stem] = path
    return found


def _problem(entry: Entry, config: DataConfig) -> tuple[Path, str] | None:
    """The file that makes the entry unusable, and the reason."""
    shapes = {}
    for path in (entry.hr, entry.lr):
        if path is None:
            continue
        try:
            shapes[path] = read(path, config.channels).shape[1:]
        except (
            OSError,
            ValueError,
            SyntaxError,
            UnidentifiedImageError,
            Image.DecompressionBombError,
        ) as error:
            return path, f"unreadable ({type(error).__name__}: {error})"
    height, width = shapes[entry.hr]
    if entry.lr is not None:
        low = shapes[entry.lr]
        if (height, width) != (4 * low[0], 4 * low[1]):
            return entry.hr, f"{width}x{height} is not four times the {low[1]}x{low[0]} of {entry.lr.name}"
    if min(height, width) < 4 * config.lr_size:
        return (
            entry.hr,
            f"{width}x{height} is smaller than the crops, 4 x data.lr_size = {4 * config.lr_size}",
        )
    return None
