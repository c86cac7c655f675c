"""The sweep over alpha: read rates and fidelity between the generators of both phases."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

from benchmark.comparison.upscalers import UpscalerSpec, build_upscaler
from benchmark.recipe.fidelity import PICTURES, Fidelity, fidelity, unseen
from benchmark.recipe.reading import COUNT, Reading, read_all
from training.export import generator_of, rewrite_onnx, write_onnx
from training.interpolate import interpolate

mpl.use("Agg")

from matplotlib import pyplot as plt

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Point:
    """One interpolated generator."""

    alpha: float
    fidelity: Fidelity
    reading: Reading


def sweep(
    psnr: Path, gan: Path, alphas: Sequence[float], out: Path, wechat: Path, cache: Path,
    *, count: int = COUNT, short: bool = False, jobs: int = 1,
) -> list[Point]:  # fmt: skip
    """Measure the generators between those at `psnr` and `gan`; their graphs are written under `out`.

    `count` is the number of crops of each kind to read. `short` checks in seconds that everything works; its results
    mean nothing.
    """
    models: dict[str, Path] = {}
    for alpha in alphas:
        path = out / f"alpha-{alpha:g}.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        generator = generator_of(interpolate(psnr, gan, alpha))
        if models:
            rewrite_onnx(next(iter(models.values())), generator, path)
        else:
            write_onnx(generator, path)
        models[f"alpha-{alpha:g}"] = path
    pictures = unseen(1 if short else PICTURES, cache)
    readings = read_all(models, wechat, out, count=1 if short else count, jobs=jobs)
    return [
        Point(
            alpha,
            fidelity(build_upscaler(UpscalerSpec.generator(path)), pictures),
            readings[name],
        )
        for alpha, (name, path) in zip(alphas, models.items(), strict=True)
    ]


def draw(points: Sequence[Point], path: Path) -> None:
    """Four panels over alpha: read rates, PSNR, SSIM, NIQE."""
    alphas = [point.alpha for point in points]
    figure, panels = plt.subplots(1, 4, figsize=(13, 3))
    panels[0].plot(alphas, [point.reading.wechat for point in points], marker="o", label="WeChat")
    panels[0].plot(alphas, [point.reading.soft for point in points], marker="s", label="soft reader")
    panels[0].set(title="share read", ylim=(0, 1.05))
    panels[0].legend(fontsize=8)
    for panel, name, title in (
        (panels[1], "psnr", "PSNR, dB"),
        (panels[2], "ssim", "SSIM"),
        (panels[3], "niqe", "NIQE"),
    ):
        panel.plot(alphas, [getattr(point.fidelity, name) for point in points], marker="o")
        panel.set(title=title)
    for panel in panels:
        panel.set(xlabel="alpha: 0 PSNR-oriented, 1 GAN")
        panel.grid(alpha=0.3)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    # No date in the file, so that the same figures give the same bytes.
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)
