"""Commands that measure the soft-decision reader by itself, and write docs/reader.md."""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

OUT = Path("runs/benchmark/reader")
_FAMILIES = ("camera", "jpeg-50", "jpeg-10")
_KINDS = ("camera", "jpeg50", "jpeg10")
"""What training shows, as the calibration of a release is measured on it."""


def add_commands(commands: Any) -> None:
    """Add `reader` with its own commands to the subparsers of `python -m benchmark`."""
    parser = commands.add_parser(
        "reader", help="the soft-decision reader by itself: docs/reader.md", description=__doc__
    )
    parts = parser.add_subparsers(required=True, metavar="PART")

    coverage = _part(
        parts, "coverage", "coverage", "every kind of symbol when clean, and every decodable word"
    )
    coverage.add_argument("--seed", type=int, default=81)

    stages = _part(parts, "stages", "stages", "where symbols are lost, stage by stage")
    stages.add_argument("--simulated", action="store_true", help="simulated logits, no generator")
    _of_generator(stages, seed=77)
    stages.add_argument(
        "--kind", choices=_FAMILIES, nargs="+", default=_FAMILIES, help="family of degradation"
    )
    stages.add_argument(
        "--legible",
        type=int,
        default=0,
        help="go on in a line until so many were read with the true grid ...",
    )
    stages.add_argument("--most", type=int, default=600, help="... or so many symbols were seen")
    stages.set_defaults(px=(1.0, 1.1, 1.2, 1.35, 1.5))

    speed = _part(
        parts, "speed", "speed", "processor time once the logits are there; wants OPENBLAS_NUM_THREADS=1"
    )
    speed.add_argument("--count", type=int, default=20, help="symbols of each version (default 20)")
    speed.add_argument("--seed", type=int, default=79)

    calibration = _part(parts, "calibration", "calibration", "how often logits are wrong, by their size")
    _of_generator(calibration, seed=78)
    calibration.add_argument("--kind", choices=_KINDS, nargs="+", default=_KINDS)
    calibration.add_argument("--cache", type=Path, help="folder for generated symbols")
    calibration.set_defaults(px=(1.1, 1.2, 1.35))

    channel = _part(parts, "channel", "channel", "decoding apart from geometry, over simulated channels")
    channel.add_argument(
        "--quick", action="store_true", help="a few minutes: two versions, ten trials a point"
    )
    channel.add_argument("--trials", type=int, default=100, help="receptions a point (default %(default)s)")
    channel.add_argument("--seed", type=int, default=1)

    bound = _part(parts, "bound", "misread_bound", "whether the misread bound holds")
    bound.add_argument("--receptions", type=int, default=10_000, help="for each limit (default %(default)s)")
    bound.add_argument("--seed", type=int, default=31)

    prior = _part(parts, "prior", "prior", "decoding with a payload model, and whether its bound holds")
    prior.add_argument("--count", type=int, default=100, help="receptions a cell (default %(default)s)")
    prior.add_argument(
        "--trials", type=int, default=100_000, help="bad receptions at each limit (default %(default)s)"
    )
    prior.add_argument("--photos", type=Path, help="folder of photographs whose payloads are used")
    prior.add_argument("--seed", type=int, default=30)

    _part(parts, "finite-field", "finite_field", "Reed-Solomon libraries side by side")

    report = _part(
        parts, "report", "document", "write the measured parts of docs/reader.md from the results in --out"
    )
    report.add_argument("--document", type=Path, default=Path("docs/reader.md"), help="document to write")


def _part(parts: Any, name: str, module: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of the results (default {OUT})")
    parser.set_defaults(run=_run(module))
    return parser


def _of_generator(parser: argparse.ArgumentParser, *, seed: int) -> None:
    parser.add_argument(
        "--model", type=Path, help="a version folder or ONNX file (default: the newest version)"
    )
    parser.add_argument("--px", type=float, nargs="+", help="pixels per module")
    parser.add_argument("--count", type=int, default=60, help="symbols of each kind and size")
    parser.add_argument("--seed", type=int, default=seed)


def _run(module: str) -> Callable[[argparse.Namespace], int | None]:
    """The part's function; its module is imported when it runs, since some parts import torch."""

    def run(given: argparse.Namespace) -> int | None:
        measure: Callable[[argparse.Namespace], int | None] = import_module(f"benchmark.reader.{module}").run
        return measure(given)

    return run
