"""The fastest way to use the engine and to encode answers.

The service's defaults follow these tables. Every row is a median of interleaved rounds, so that a slow moment of the
machine affects all rows.
"""

import io
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFilter

from benchmark.paths import ROOT
from benchmark.serving.results import neighbours
from model_store.contract import quantise
from model_store.versions import version_folder
from service.generator.draft import copy_of
from service.generator.engine import OnnxEngine

Work = Callable[[], object]


def medians(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Seconds of each, in turn, `rounds` times; the first round is a warm-up."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for index in range(rounds + 1):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            if index:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in taken.items()}


def _planes(count: int, side: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.random((count, 1, side, side), np.float32)


def engines(side: int, images: int, rounds: int) -> dict[str, float]:
    """Images a second for each way to run `images` crops of `side` pixels through the network."""
    folder = version_folder(ROOT / "model_store", "qr_sr_x4", 0)
    ways = [("", folder, 1), ("", folder, 2)]
    if (copy := copy_of(folder)) is not None:
        ways.append(("draft, ", copy, 1))
    planes = _planes(images, side)
    works: dict[str, Work] = {}
    with ThreadPoolExecutor(4) as pool:
        for what, model, threads in ways:
            engine = OnnxEngine(model, device="cpu", threads=threads, tile=384)
            for batch in (1, 2, 4, 8):

                def in_batches(engine: OnnxEngine = engine, batch: int = batch) -> None:
                    for start in range(0, images, batch):
                        engine.run(planes[start : start + batch], logits=True)

                works[f"{what}1 caller, {threads} thread(s), batch {batch}"] = in_batches
            for callers in (2, 3):

                def side_by_side(engine: OnnxEngine = engine, callers: int = callers) -> None:
                    def lane(first: int) -> None:
                        for index in range(first, images, callers):
                            engine.run(planes[index : index + 1], logits=True)

                    list(pool.map(lane, range(callers)))

                works[f"{what}{callers} callers, {threads} thread(s), batch 1"] = side_by_side
        seconds = medians(works, rounds)
    return {name: images / taken for name, taken in seconds.items()}


def encoders(rounds: int) -> tuple[dict[str, float], dict[str, int]]:
    """Milliseconds and bytes of each way to encode an enlarged 128x128 crop, grey and RGB."""
    crop = Image.open(ROOT / "docs" / "samples" / "chat.png").convert("L").resize((128, 128))
    folder = version_folder(ROOT / "model_store", "qr_sr_x4", 0)
    engine = OnnxEngine(folder, device="cpu", threads=1, tile=384)
    lr = np.asarray(crop, np.float32)[None, None] / np.float32(255)
    grey = quantise(engine.run(lr, logits=False).sr)[0, 0]
    tint = np.asarray(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(6)), np.float32) / 255
    colour = np.stack([grey, grey, np.clip(grey * 0.8 + 40 * tint, 0, 255).astype(np.uint8)], axis=2)
    works: dict[str, Work] = {}
    sizes: dict[str, int] = {}

    def pillow(pixels: np.ndarray, kind: str, **options: object) -> Callable[[], bytes]:
        def work() -> bytes:
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, kind, **options)
            return stream.getvalue()

        return work

    def opencv(pixels: np.ndarray, kind: str, *options: int) -> Callable[[], bytes]:
        return lambda: cv2.imencode(kind, pixels, options)[1].tobytes()

    for name, pixels in (("grey", grey), ("RGB", colour)):
        chosen = {
            f"Pillow PNG, level {level}": pillow(pixels, "PNG", compress_level=level)
            for level in (0, 1, 3, 6)
        }
        for strategy in (2, 3, 4):
            chosen[f"Pillow PNG, level 1, strategy {strategy}"] = pillow(
                pixels, "PNG", compress_level=1, compress_type=strategy
            )
        for level in (1, 3):
            for title, strategy, filters in (
                ("RLE, sub", cv2.IMWRITE_PNG_STRATEGY_RLE, cv2.IMWRITE_PNG_FILTER_SUB),
                ("default, none", cv2.IMWRITE_PNG_STRATEGY_DEFAULT, cv2.IMWRITE_PNG_FILTER_NONE),
                ("default, up", cv2.IMWRITE_PNG_STRATEGY_DEFAULT, cv2.IMWRITE_PNG_FILTER_UP),
            ):
                chosen[f"OpenCV PNG, level {level}, {title}"] = opencv(
                    pixels,
                    ".png",
                    cv2.IMWRITE_PNG_COMPRESSION,
                    level,
                    cv2.IMWRITE_PNG_STRATEGY,
                    strategy,
                    cv2.IMWRITE_PNG_FILTER,
                    filters,
                )
        chosen["Pillow JPEG 92"] = pillow(pixels, "JPEG", quality=92)
        chosen["OpenCV JPEG 92"] = opencv(pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 92)
        chosen["Pillow WebP 90, method 0"] = pillow(pixels, "WEBP", quality=90, method=0)
        for title, work in chosen.items():
            works[f"{name}, {title}"] = work
            sizes[f"{name}, {title}"] = len(work())
    return {name: 1e3 * taken for name, taken in medians(works, rounds).items()}, sizes


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """Images a second of every way to use the engine; milliseconds and bytes of every way to encode an answer."""
    rounds = max(round(5 * scale), 2)
    with neighbours() as others:
        rates = {str(side): engines(side, 12, rounds) for side in (64, 128)}
        taken, sizes = encoders(3 * rounds)
    coded = {name: {"milliseconds": taken[name], "bytes": sizes[name]} for name in taken}
    return {"images_per_second": rates, "encoders": coded, "rounds": rounds, "neighbours": others.share}
