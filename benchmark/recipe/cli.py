"""Commands that make the figures and tables of docs/paper.md."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.recipe.reading import COUNT

CACHE = Path("build/cache")
PICTURES = Path("docs/paper")
"""Folder of the document's pictures."""
RESULTS = Path("benchmark/results/recipe")
STORE = Path("model_store")
_PSNR, _GAN = STORE / "qr_sr_psnr_x4" / "1", STORE / "qr_sr_gan_x4" / "1"
_MIXED, _SERVED = STORE / "qr_sr_interpolated_x4" / "1", STORE / "qr_sr_x4" / "2"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `recipe` with its own commands."""
    parser = commands.add_parser("recipe", help="figures and tables of docs/paper.md", description=__doc__)
    figures = parser.add_subparsers(required=True, metavar="FIGURE")
    ablation = _figure(figures, "ablation", "train with each part removed in turn, and measure", _ablation)
    ablation.add_argument("--runs", type=Path, default=Path("runs/ablation"), help="folder of the trainings")
    ablation.add_argument("--only", nargs="+", metavar="NAME", help="some of the trainings, by name")
    _measured(ablation)
    interpolation = _figure(figures, "interpolation", "sweep over alpha between both phases", _interpolation)
    interpolation.add_argument("--psnr", type=Path, default=_PSNR, help=f"default: {_PSNR}")
    interpolation.add_argument("--gan", type=Path, default=_GAN, help=f"default: {_GAN}")
    interpolation.add_argument("--alphas", type=float, nargs="+", help="default: 0 to 1 by quarters")
    interpolation.add_argument(
        "--runs", type=Path, default=Path("runs/interpolation"), help="folder of graphs"
    )
    _measured(interpolation)
    _pictured(interpolation)
    curves = _figure(figures, "curves", "training curves of both phases", _curves)
    curves.add_argument("--psnr", type=Path, default=Path("runs/psnr"), help="folder of the first run")
    curves.add_argument("--gan", type=Path, default=Path("runs/gan"), help="folder of the second run")
    _pictured(curves)
    grid = _figure(figures, "grid", "crops enlarged in every way, and who reads them", _grid)
    grid.add_argument("--wechat", type=Path, default=STORE / "wechat_qr" / "1")
    _pictured(grid)
    degradations = _figure(
        figures, "degradations", "what each degradation does, alone and in its chain", _degradations
    )
    _pictured(degradations)
    brightness = _figure(
        figures, "brightness", "VGG19's features before and after their activation", _brightness
    )
    brightness.add_argument("--config", type=Path, required=True)
    brightness.add_argument("--weights", type=Path, help="VGG19's weights, instead of the configuration's")
    brightness.add_argument("--pictures", type=int, default=8, help="default: 8")
    brightness.add_argument("--steps", type=int, default=60, help="default: 60")
    pattern = _figure(figures, "pattern", "the readings of the binary pattern constraint", _pattern)
    pattern.add_argument("--config", type=Path, required=True)
    pattern.add_argument("--steps", type=int, default=200, help="of each training; default: 200")
    pattern.add_argument("--weight", type=float, default=1.0, help="of the constraint; default: 1")
    pattern.add_argument("--out", type=Path, default=Path("runs/pattern"), help="default: runs/pattern")
    report = _figure(figures, "report", "put the tables into the document", _report)
    report.add_argument("--out", type=Path, default=RESULTS, help=f"folder of results: {RESULTS}")
    report.add_argument("--document", type=Path, default=Path("docs/paper.md"))


def _figure(
    figures: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = figures.add_parser(name, help=text, description=text)
    parser.set_defaults(run=_guarded(run))
    return parser


def _pictured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pictures", type=Path, default=PICTURES, help=f"folder of pictures: {PICTURES}")


def _measured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of results: {RESULTS}")
    parser.add_argument("--wechat", type=Path, default=STORE / "wechat_qr" / "1", help="WeChat's nets")
    parser.add_argument("--jobs", type=int, default=1, help="processes that read; default: 1")
    parser.add_argument("--count", type=int, default=COUNT, help=f"crops of each kind; default: {COUNT}")
    parser.add_argument(
        "--short",
        action="store_true",
        help="a minute of everything, to check that it works; its figures mean nothing",
    )


def _ablation(options: argparse.Namespace) -> int:
    from benchmark.recipe import document
    from benchmark.recipe.ablation import VARIANTS, run
    from training.errors import TrainingError

    chosen = [variant for variant in VARIANTS if not options.only or variant.name in options.only]
    if not chosen:
        raise TrainingError(f"--only: there are {', '.join(variant.name for variant in VARIANTS)}")
    beside = {f"served: {_SERVED.parent.name}/{_SERVED.name}": _SERVED / "model.onnx"}
    rows = run(
        chosen, beside, options.runs, options.wechat, CACHE,
        count=options.count, short=options.short, jobs=options.jobs,
    )  # fmt: skip
    document.save(document.ABLATION, options.typed, rows, options.out)
    print(document.rendered(document.ABLATION, options.out))
    return 0


def _interpolation(options: argparse.Namespace) -> int:
    from benchmark.recipe import document
    from benchmark.recipe.interpolation import ALPHAS, draw, sweep

    alphas = options.alphas or ALPHAS
    points = sweep(
        options.psnr, options.gan, alphas, options.runs, options.wechat, CACHE,
        count=options.count, short=options.short, jobs=options.jobs,
    )  # fmt: skip
    document.save(document.INTERPOLATION, options.typed, points, options.out)
    draw(points, options.pictures / "interpolation.png")
    print(document.rendered(document.INTERPOLATION, options.out))
    return 0


def _curves(options: argparse.Namespace) -> int:
    from benchmark.recipe.curves import draw, read

    draw(read(options.psnr), read(options.gan), options.pictures / "curves.png")
    return 0


def _grid(options: argparse.Namespace) -> int:
    from benchmark.recipe.grid import draw

    models = {"PSNR": _PSNR, "GAN": _GAN, "interpolated": _MIXED, "served": _SERVED}
    draw(models, options.wechat, options.pictures / "grid.png")
    return 0


def _degradations(options: argparse.Namespace) -> int:
    from benchmark.recipe.degradations import draw

    draw(options.pictures / "degradations.png")
    return 0


def _report(options: argparse.Namespace) -> int:
    from benchmark.recipe.document import update

    update(options.document, options.out)
    print(options.document)
    return 0


def _brightness(options: argparse.Namespace) -> int:
    from benchmark.recipe.brightness import measure
    from training import config as configs
    from training.losses.vgg_weights import load_weights

    config = configs.load(options.config)
    weights = load_weights(options.weights or config.perceptual.weights, CACHE)
    print(f"{config.perceptual.layer}, {options.pictures} pictures, {options.steps} steps")
    for name, found in measure(config, weights, options.pictures, options.steps, CACHE).items():
        print(
            f"{name} activation: {found.active:.1%} of the features active; brightness off by {found.shift_before:.4f} "
            f"at the start, {found.shift_after:.4f} at the end; pixels off by {found.error_after:.4f}"
        )
    return 0


def _pattern(options: argparse.Namespace) -> int:
    from benchmark.recipe.pattern import measure
    from training import config as configs

    config = configs.load(options.config)
    optimiser = config.optimiser.model_copy(update={"steps": options.steps})
    config = config.model_copy(update={"optimiser": optimiser})
    print("reading | wrong pixels pushed further away | wrong modules | grey pixels")
    for name, found in measure(config, options.weight, options.out, CACHE).items():
        pushed = "-" if found.pushed_away is None else f"{found.pushed_away:.1%}"
        print(f"{name} | {pushed} | {found.module_error:.4f} | {found.grey:.4f}")
    return 0


def _guarded(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Make the trainer's errors end a command with one line, like those of the benchmark."""

    def guarded(options: argparse.Namespace) -> int:
        from training.checkpoint import CheckpointError
        from training.config import ConfigError
        from training.errors import TrainingError
        from training.losses.vgg_weights import WeightsError

        try:
            return run(options)
        except (ConfigError, CheckpointError, TrainingError, WeightsError) as error:
            raise BenchmarkError(str(error)) from error

    return guarded
