"""Commands that make the README's picture and crops."""

import argparse
from pathlib import Path
from typing import Any


def add_commands(commands: Any) -> None:
    """Add `samples` and `picture` to the subparsers of `python -m benchmark`."""
    samples = commands.add_parser(
        "samples", help="write the hard crops that the README and the playground show"
    )
    samples.add_argument("--out", type=Path, default=Path("docs/samples"), help="default: docs/samples")
    samples.set_defaults(run=_samples)
    picture = commands.add_parser("picture", help="draw the README's first picture, trying every reader")
    picture.add_argument("--out", type=Path, default=Path("docs/first-screen.png"))
    picture.set_defaults(run=_picture)
    answers = commands.add_parser("answers", help="put the service's answers for the crops into the README")
    answers.add_argument("--readme", type=Path, default=Path("README.md"), help="default: README.md")
    answers.set_defaults(run=_answers)


def _samples(options: argparse.Namespace) -> None:
    from benchmark.readme.sample_crops import make

    for path in make(options.out):
        print(path)


def _picture(options: argparse.Namespace) -> None:
    from benchmark.readme.picture import draw

    draw(options.out)
    print(options.out)


def _answers(options: argparse.Namespace) -> None:
    from benchmark.readme.answers import fill

    fill(options.readme)
    print(options.readme)
