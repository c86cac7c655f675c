"""Real photographs: read as they are, and as crops at few pixels per module."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from benchmark.comparison import plots
from benchmark.comparison.arms import NONE, WHOLE, Arm, Image
from benchmark.comparison.farm import Farm, JobLostError, Worker, take_item
from benchmark.comparison.options import Options
from benchmark.comparison.readers import DECODE, SOFT
from benchmark.comparison.results import Results, collect
from benchmark.comparison.tables import arm_table, label, misread_table, paired_table
from benchmark.comparison.upscalers import OURS
from benchmark.comparison.workbench import Workbench
from benchmark.errors import BenchmarkError
from benchmark.figures.statistics import wilson
from benchmark.figures.tables import interval, table
from benchmark.sets import photos
from benchmark.sets.photos import Located, Photo

PX_PER_MODULE = (1.0, 1.2, 1.4, 1.6, 2.0)
QUALITIES = (50, 10)
WECHAT, WECHAT_WHOLE, ZXING_WHOLE = (
    Arm("lr", NONE, "wechat"),
    Arm(WHOLE, NONE, "wechat"),
    Arm(WHOLE, NONE, "zxing"),
)


@dataclass(frozen=True, slots=True)
class PhotoItem:
    """A whole photograph (`cell` is None), or the crop of its symbol."""

    folder: Path
    photo: Photo
    located: Located | None
    cell: tuple[float, int] | None
    """Pixels per module and JPEG quality."""
    arms: tuple[Arm, ...] = ()

    @property
    def name(self) -> str:
        """For example `set-7-1.4-50`."""
        stem = self.photo.stem
        return stem if self.cell is None else f"{stem}-{self.cell[0]:g}-{self.cell[1]}"

    def with_arms(self, arms: tuple[Arm, ...]) -> Self:
        """The same picture for other arms."""
        return replace(self, arms=arms)

    def draw(self) -> tuple[dict[str, Image], tuple[bytes, ...]]:
        """`photo` or `lr`, and every byte string that counts as its payload."""
        bgr = photos.load(self.folder / self.photo.path)
        if self.cell is None or self.located is None:
            known = self.located.payload if self.located else self.photo.payload.encode()
            return {WHOLE: photos.luma(bgr)}, photos.spellings(known, self.photo.payload)
        crop = photos.reduced_crop(bgr, self.located, *self.cell)
        if crop is None:
            raise ValueError("the photograph has fewer pixels per module")
        return {"lr": crop}, photos.spellings(self.located.payload, self.photo.payload)


def run_photos(
    options: Options,
    folder: Path,
    axis: tuple[float, ...] = PX_PER_MODULE,
    qualities: tuple[int, ...] = QUALITIES,
    limit: int | None = None,
) -> Results:
    """Locate, cut, reduce and read; writes `photos.json`, `photos.md`, a plot."""
    found = _spread(photos.read_index(folder), limit)
    if not found:
        raise BenchmarkError(f"{folder}: no photographs")
    whole = tuple(replace(arm, picture=WHOLE) for arm in options.direct("lr"))
    cropped = (*options.direct("lr"), *options.enlarged(("wechat",)))
    cells = [(px, quality) for quality in qualities for px in axis]
    with Farm(options.setup, options.jobs) as farm:
        located = farm.map(_locate, [(folder, photo) for photo in found], "locate")
        items = [
            PhotoItem(folder, photo, place, None, whole) for photo, place in zip(found, located, strict=True)
        ]
        items += [
            PhotoItem(folder, photo, place, cell, cropped)
            for cell in cells
            for photo, place in zip(found, located, strict=True)
            if place is not None and place.px_per_module > cell[0]
        ]
        taken = farm.map(take_item, items, "photos")
    details = _details(
        items, [photo.path for photo, place in zip(found, located, strict=True) if place is None]
    )
    results = collect(
        "photos", options.command, options.seed, options.environment(), items, taken, options.out, details
    )
    results.save(options.out / "photos.json")
    (options.out / "photos.md").write_text(photos_report(results) + "\n")
    plots.rate_bars(photo_bars(results), options.out / "photos.png", "share of the crops read")
    return results


def photos_report(results: Results) -> str:
    """Markdown: crops by pixels per module and quality, whole photographs, pairs, misreads."""
    details = results.details
    missing = details["not_located"]
    crops = [arm for arm in results.arms() if arm.picture == "lr"]
    whole = [arm for arm in results.arms() if arm.picture == WHOLE]
    parts = [
        f"{details['photographs']} photographs, the symbols of {details['photographs'] - len(missing)} located"
        + (f"; not located: {', '.join(missing)}" if missing else "")
        + ".",
        "### Crops: read [95 %]",
        _cell_table(results, crops),
        "### All crops together",
        arm_table(results, "lr"),
        "### Crops gained and lost against WeChat",
        paired_table(results, WECHAT, [arm for arm in crops if arm != WECHAT]),
        "### Whole photographs at native size",
        arm_table(results, WHOLE),
    ]
    for baseline in (WECHAT_WHOLE, ZXING_WHOLE):
        if baseline in whole:
            others = [arm for arm in whole if arm != baseline]
            parts.append(paired_table(results, baseline, others))
    parts += [_lost(results), "### Misreads", misread_table(results)]
    return "\n\n".join(parts)


def _spread(found: list[Photo], limit: int | None) -> list[Photo]:
    """`limit` of the photographs, spread over the index."""
    return found if limit is None or limit >= len(found) else found[:: -(-len(found) // limit)]


def _lost(results: Results) -> str:
    """Photographs that WeChat or zxing-cpp alone reads and the cascade does not."""
    ours = Arm(WHOLE, NONE, DECODE)
    if any(str(arm) not in results.outcomes for arm in (ours, WECHAT_WHOLE, ZXING_WHOLE)):
        return ""
    either = results.read(WECHAT_WHOLE) | results.read(ZXING_WHOLE)
    names = [results.items[i] for i in np.flatnonzero(either & ~results.read(ours) & results.tried(ours))]
    union = int(either.sum())
    return (
        f"WeChat and zxing-cpp together read {union} whole photographs, /decode {int(results.read(ours).sum())}; "
        + (f"lost by /decode: {', '.join(names)}." if names else "/decode loses none of those.")
    )


def cell_rates(results: Results, arm: Arm) -> dict[str, tuple[int, int]]:
    """For each cell, the numbers of crops read and tried."""
    read, tried = results.read(arm), results.tried(arm)
    cells = np.array(results.details["cells"])
    names = [name for name in dict.fromkeys(results.details["cells"]) if name]
    return {name: (int(read[cells == name].sum()), int(tried[cells == name].sum())) for name in names}


def _cell_table(results: Results, arms: list[Arm]) -> str:
    columns = [cell_rates(results, arm) for arm in arms]
    rows = [
        [name, str(columns[0][name][1]), *(interval(wilson(*column[name])) for column in columns)]
        for name in columns[0]
    ]
    return table(["px per module, JPEG quality", "crops", *(label(arm) for arm in arms)], rows)


def photo_bars(results: Results) -> dict[str, dict[str, float]]:
    """The rates in the plot, by arm and cell."""
    chosen = [
        WECHAT,
        Arm("lr", "bicubic", "wechat"),
        Arm("lr", OURS, "wechat"),
        Arm("lr", OURS, SOFT),
        Arm("lr", NONE, DECODE),
    ]
    return {
        label(arm): {
            name: read / tried if tried else 0.0 for name, (read, tried) in cell_rates(results, arm).items()
        }
        for arm in chosen
        if str(arm) in results.outcomes
    }


def _details(items: list[PhotoItem], not_located: list[str]) -> dict[str, Any]:
    return {
        "photographs": sum(item.cell is None for item in items),
        "not_located": not_located,
        "cells": ["" if item.cell is None else f"{item.cell[0]:g}, {item.cell[1]}" for item in items],
        "sets": [item.photo.set for item in items],
        "native_px_per_module": [
            round(item.located.px_per_module, 2) if item.located else None
            for item in items
            if item.cell is None
        ],
    }


def locate(bench: Workbench, entry: tuple[Path, Photo]) -> Located | None:
    """The job of a worker: locate the symbol of a photograph."""
    folder, photo = entry
    cv2.setNumThreads(1)
    return photos.locate(photos.luma(photos.load(folder / photo.path)), photo.payload, bench.wechat)


def _locate(worker: Worker, entry: tuple[Path, Photo]) -> Located | None:
    try:
        return worker.call(locate, entry)
    except JobLostError:
        # A reader crashed on this photograph; the report lists it as not located.
        return None
