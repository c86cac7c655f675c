"""`python -m training paper`: the figures and tables of docs/paper.md."""

import argparse
import shlex
import sys
from pathlib import Path

from training.paper.reading import COUNT

CACHE = Path("build/cache")
DOCUMENTED = Path("docs/paper")
STORE = Path("model_store")
_PSNR, _GAN = STORE / "qr_sr_psnr_x4" / "1", STORE / "qr_sr_gan_x4" / "1"
_MIXED, _SERVED = STORE / "qr_sr_interpolated_x4" / "1", STORE / "qr_sr_x4" / "2"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `paper` with its own commands."""
    parser = commands.add_parser("paper", help="figures and tables of docs/paper.md", description=__doc__)
    figures = parser.add_subparsers(dest="figure", required=True, metavar="FIGURE")
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
    curves = _figure(figures, "curves", "training curves of both phases", _curves)
    curves.add_argument("--psnr", type=Path, default=Path("runs/psnr"), help="folder of the first run")
    curves.add_argument("--gan", type=Path, default=Path("runs/gan"), help="folder of the second run")
    grid = _figure(figures, "grid", "crops enlarged in every way, and who reads them", _grid)
    grid.add_argument("--wechat", type=Path, default=STORE / "wechat_qr" / "1")
    _figure(figures, "degradations", "what each degradation does, alone and in its chain", _degradations)
    report = _figure(figures, "report", "put the tables into the document", _report)
    report.add_argument("--document", type=Path, default=Path("docs/paper.md"))


def _figure(
    figures: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, run: object
) -> argparse.ArgumentParser:
    parser = figures.add_parser(name, help=text, description=text)
    parser.add_argument("--out", type=Path, default=DOCUMENTED, help=f"folder of results: {DOCUMENTED}")
    parser.set_defaults(run=run)
    return parser


def _measured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wechat", type=Path, default=STORE / "wechat_qr" / "1", help="WeChat's nets")
    parser.add_argument("--jobs", type=int, default=1, help="processes that read; default: 1")
    parser.add_argument("--count", type=int, default=COUNT, help=f"crops of each kind; default: {COUNT}")
    parser.add_argument(
        "--short", action="store_true", help="a minute of everything, to see it work: its figures say nothing"
    )


def _ablation(options: argparse.Namespace) -> int:
    from training.errors import TrainingError
    from training.paper import document
    from training.paper.ablation import VARIANTS, run

    chosen = [variant for variant in VARIANTS if not options.only or variant.name in options.only]
    if not chosen:
        raise TrainingError(f"--only: there are {', '.join(variant.name for variant in VARIANTS)}")
    beside = {f"served: {_SERVED.parent.name}/{_SERVED.name}": _SERVED / "model.onnx"}
    rows = run(
        chosen, beside, options.runs, options.wechat, CACHE,
        count=options.count, short=options.short, jobs=options.jobs,
    )  # fmt: skip
    document.save(document.ABLATION, _command(), rows, options.out)
    print(document.rendered(document.ABLATION, options.out))
    return 0


def _interpolation(options: argparse.Namespace) -> int:
    from training.paper import document
    from training.paper.interpolation import ALPHAS, draw, sweep

    alphas = options.alphas or ALPHAS
    points = sweep(
        options.psnr, options.gan, alphas, options.runs, options.wechat, CACHE,
        count=options.count, short=options.short, jobs=options.jobs,
    )  # fmt: skip
    document.save(document.INTERPOLATION, _command(), points, options.out)
    draw(points, options.out / "interpolation.png")
    print(document.rendered(document.INTERPOLATION, options.out))
    return 0


def _curves(options: argparse.Namespace) -> int:
    from training.paper.curves import draw, read

    draw(read(options.psnr), read(options.gan), options.out / "curves.png")
    return 0


def _grid(options: argparse.Namespace) -> int:
    from training.evaluate.readers import ReaderUnavailableError
    from training.paper.grid import draw

    models = {"PSNR": _PSNR, "GAN": _GAN, "interpolated": _MIXED, "served": _SERVED}
    try:
        draw(models, options.wechat, options.out / "grid.png")
    except ReaderUnavailableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _degradations(options: argparse.Namespace) -> int:
    from training.paper.degradations import draw

    draw(options.out / "degradations.png")
    return 0


def _report(options: argparse.Namespace) -> int:
    from training.paper.document import update

    update(options.document, options.out)
    print(options.document)
    return 0


def _command() -> str:
    return "python -m training " + shlex.join(sys.argv[1:])
