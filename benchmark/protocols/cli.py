"""Commands that measure decode rates and cost against every peer, and write docs/benchmark.md."""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmark.comparison.farm import usable_cores
from benchmark.comparison.options import (
    Options,
    chosen_readers,
    chosen_upscalers,
    newest_generator,
)
from benchmark.comparison.readers import DECODE, DIRECT, SOFT
from benchmark.comparison.results import Results
from benchmark.comparison.upscalers import KERNELS
from benchmark.errors import BenchmarkError
from benchmark.paths import RESULTS, STORE
from benchmark.protocols.attempts import COUNT as ATTEMPTS_COUNT
from benchmark.protocols.attempts import SEED as ATTEMPTS_SEED
from benchmark.protocols.latency import COUNT as LATENCY_COUNT
from benchmark.sets.paper import SIZE
from benchmark.sets.sweep import COUNT, PX_PER_MODULE
from scoring.families import FAMILIES

OUT = Path("runs/benchmark")
_SWEEP_READERS = ("wechat", "zxing", SOFT, DECODE)


def add_commands(protocols: Any) -> None:
    """Add the protocols to the subparsers of `python -m benchmark`."""
    paper = _protocol(
        protocols, "paper", "read rates of 1,000 symbols, HR and LR, in the paper's layout", _paper
    )
    _common(paper, readers=(*DIRECT, SOFT, DECODE), kernels=("bicubic", "lanczos"))
    paper.add_argument("--count", type=int, default=SIZE, help=f"symbols (default {SIZE})")
    sweep = _protocol(
        protocols, "sweep", "read rate against pixels per module, by family of degradation", _sweep
    )
    _common(sweep, readers=_SWEEP_READERS, kernels=("bicubic",))
    sweep.add_argument("--count", type=int, default=COUNT, help=f"symbols of a family (default {COUNT})")
    sweep.add_argument(
        "--families",
        nargs="+",
        choices=tuple(FAMILIES),
        default=tuple(FAMILIES),
        metavar="FAMILY",
        help="which families (default: all): " + ", ".join(FAMILIES),
    )
    sweep.add_argument(
        "--px",
        nargs="+",
        type=float,
        default=PX_PER_MODULE,
        metavar="PX",
        help="points of the axis, pixels per module",
    )

    attempts = _protocol(
        protocols,
        "attempts",
        "what each attempt of /decode reads and costs, and the order this asks for",
        _attempts,
    )
    _common(attempts, readers=("wechat", SOFT, DECODE), kernels=())
    attempts.set_defaults(seed=ATTEMPTS_SEED)
    attempts.add_argument(
        "--count", type=int, default=ATTEMPTS_COUNT, help=f"symbols of a family (default {ATTEMPTS_COUNT})"
    )
    attempts.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="instead: photographs with their index.jsonl, reduced to the size at which /decode leaves attempts out",
    )
    misreads = _protocol(
        protocols,
        "misreads",
        "wrong payloads over pictures without a complete symbol, and near the wall",
        _misreads,
    )
    _common(misreads, readers=(SOFT, DECODE), kernels=())
    misreads.add_argument("--count", type=int, default=100_000, help="trials (default 100,000)")
    misreads.add_argument(
        "--every", type=int, default=5, help="the whole cascade reads every N-th trial (default 5)"
    )
    misreads.add_argument(
        "--minutes", type=float, default=1e6, help="stop after so long; the same command continues"
    )
    misreads.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="photographs and their index.jsonl; symbols are painted over",
    )
    misreads.set_defaults(out=OUT / "reader")
    photos = _protocol(protocols, "photos", "read rates of real photographs with known payloads", _photos)
    _common(photos, readers=(*DIRECT, SOFT, DECODE), kernels=("bicubic",))
    photos.add_argument("folder", type=Path, metavar="DIR", help="photographs and their index.jsonl")
    speed = _protocol(
        protocols, "speed", "milliseconds, operations and memory of upscalers, side by side", _speed
    )
    _common(speed, readers=("wechat",), kernels=("bicubic",))
    speed.add_argument(
        "--rates",
        type=Path,
        metavar="JSON",
        help="read rates for the Pareto plot (default: paper.json in --out)",
    )
    latency = _protocol(
        protocols, "latency", "milliseconds of /decode on easy and on the hardest pictures", _latency
    )
    _common(latency, readers=("wechat", SOFT, DECODE), kernels=())
    latency.add_argument(
        "--count",
        type=int,
        default=LATENCY_COUNT,
        help=f"pictures of a kind (default {LATENCY_COUNT})",
    )
    quick = _protocol(protocols, "quick", "the regression floor: fails when fewer symbols are read", _quick)
    _common(quick, readers=("wechat", SOFT, DECODE), kernels=())
    _protocol(protocols, "freeze", "write the checksums of the paper's set, once and for all", _freeze)
    report = _protocol(protocols, "report", "fill in docs/benchmark.md from the results in --out", _report)
    report.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    report.add_argument(
        "--document", type=Path, default=Path("docs/benchmark.md"), help="document to fill in"
    )
    report.add_argument(
        "--results", type=Path, default=RESULTS / "protocols", help="folder of the published results"
    )
    report.add_argument("--readme", type=Path, metavar="FILE", help="fill in the table of this README too")
    quick.add_argument("--set-floors", action="store_true", help="write the floors from this run")


def _protocol(protocols: Any, name: str, text: str, run: Any) -> Any:
    parser = protocols.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _common(parser: Any, readers: tuple[str, ...], kernels: tuple[str, ...]) -> None:
    parser.add_argument(
        "--quick", action="store_true", help="a few symbols only: under a minute on two cores"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    parser.add_argument(
        "--seed", type=int, default=0, help="draws another set (default 0, the published one)"
    )
    parser.add_argument("--jobs", type=int, default=usable_cores(), help="processes (default: all cores)")
    parser.add_argument(
        "--model", type=Path, metavar="DIR|ONNX", help="our generator (default: the newest released version)"
    )
    parser.add_argument("--no-model", action="store_true", help="measure without a generator of ours")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="another upscaler: .onnx (grey or RGB, any scale) or .pb (OpenCV dnn_superres); repeatable",
    )
    parser.add_argument("--kernels", nargs="*", default=kernels, metavar="KERNEL", help=", ".join(KERNELS))
    parser.add_argument(
        "--readers", nargs="+", default=readers, metavar="READER", help=", ".join((*DIRECT, SOFT, DECODE))
    )
    parser.add_argument(
        "--wechat", type=Path, default=STORE / "wechat_qr" / "1", help="folder of WeChat's nets"
    )


def options_of(arguments: argparse.Namespace) -> Options:
    """Check the options against the available models and readers.

    Raises:
        BenchmarkError, ManifestError: see the messages.
    """
    model = None if arguments.no_model else arguments.model or newest_generator()
    if model is None and not arguments.no_model:
        print("no released generator found: measuring without one (--model names one)", file=sys.stderr)
    upscalers = chosen_upscalers(tuple(arguments.kernels), model, arguments.peer)
    readers, missing = chosen_readers(tuple(arguments.readers), arguments.wechat, model is not None)
    for name, reason in missing.items():
        print(f"without {name}: {reason}", file=sys.stderr)
    return Options(
        out=arguments.out,
        command=arguments.typed,
        seed=arguments.seed,
        jobs=max(1, arguments.jobs),
        readers=readers,
        upscalers=upscalers,
        wechat=arguments.wechat,
        missing=missing,
    )


def _paper(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.paper import paper_report, run_paper

    options = options_of(arguments)
    results = run_paper(options, 60 if arguments.quick else arguments.count)
    print(paper_report(results))
    return _verdict(arguments, results)


def _sweep(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.sweep import run_sweep, sweep_report

    options = options_of(arguments)
    axis, count = tuple(sorted(arguments.px)), arguments.count
    if arguments.quick:
        axis, count = (1.2, 1.5, 2.0), 2
    results = run_sweep(options, tuple(arguments.families), axis, count)
    print(sweep_report(results))
    return _verdict(arguments, results)


def _attempts(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.attempts import attempts_report, run_attempts, run_photo_attempts

    options = options_of(arguments)
    if options.ours is None:
        raise BenchmarkError("attempts need a generator (--model)")
    if arguments.photos:
        results = run_photo_attempts(options, arguments.photos)
    else:
        families = tuple(FAMILIES)[::6] if arguments.quick else tuple(FAMILIES)
        results = run_attempts(options, families, 1 if arguments.quick else arguments.count)
    print(attempts_report(results))
    return _verdict(arguments, results)


def _misreads(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.misreads import misreads_report, run_misreads, wrong

    count = 200 if arguments.quick else arguments.count
    results = run_misreads(options_of(arguments), count, arguments.every, arguments.minutes, arguments.photos)
    print(misreads_report(results))
    return 1 if wrong(results) else 0


def _photos(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.photos import photos_report, run_photos

    options = options_of(arguments)
    if arguments.quick:
        results = run_photos(options, arguments.folder, (1.4,), (50,), limit=10)
    else:
        results = run_photos(options, arguments.folder)
    print(photos_report(results))
    return _verdict(arguments, results)


def _speed(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.speed import ROUNDS, run_speed, speed_report

    options = options_of(arguments)
    rates = arguments.rates or arguments.out / "paper.json"
    print(speed_report(run_speed(options, 5 if arguments.quick else ROUNDS, rates)))
    return 0


def _latency(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.latency import latency_report, run_latency

    options = options_of(arguments)
    if options.ours is None:
        raise BenchmarkError("latency is that of the cascade, which needs a generator (--model)")
    results = run_latency(options, 2 if arguments.quick else arguments.count)
    print(latency_report(results))
    return _verdict(arguments, results)


def _quick(arguments: argparse.Namespace) -> int:
    from benchmark.protocols import quick

    options = options_of(arguments)
    results = quick.run_quick(options)
    if arguments.set_floors:
        quick.set_floors(results)
    judged = quick.verdicts(results, quick.floors())
    print(quick.quick_report(results, judged))
    failed = [verdict for verdict in judged if not verdict.passed]
    for verdict in failed:
        print(
            f"regression: {verdict.arm} reads {verdict.rate:.3f}, floor {verdict.floor:.3f}, "
            f"{verdict.misreads} misreads",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _report(arguments: argparse.Namespace) -> int:
    from benchmark.protocols.document import write_report
    from benchmark.protocols.readme_table import write_rates

    write_report(arguments.out, arguments.document, arguments.results)
    if arguments.readme:
        write_rates(arguments.results, arguments.readme)
    print(arguments.document)
    return 0


def _freeze(arguments: argparse.Namespace) -> None:
    del arguments
    from benchmark.sets.paper import freeze

    freeze()


def _verdict(arguments: argparse.Namespace, results: Results) -> int:
    from benchmark.protocols.quick import broken

    reason = broken(results) if arguments.quick else None
    if reason:
        print(f"regression: {reason}", file=sys.stderr)
    return 1 if reason else 0
