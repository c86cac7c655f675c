"""`python -m training`: train a generator, export it, measure the speed of its data."""

import argparse
import sys
from pathlib import Path

from training import config as configs


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands)
    options = parser.parse_args(arguments)
    try:
        run = options.run
        return int(run(options) or 0)
    except configs.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("train", help="train a generator, or go on with a run")
    parser.add_argument("--config", type=Path, required=True, help="TOML file, see training/configs")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run: checkpoints, TensorBoard events"
    )
    parser.add_argument("--resume", type=Path, metavar="CHECKPOINT", help="go on from this checkpoint")
    parser.add_argument("--steps", type=int, help="optimiser steps in all, instead of the configuration's")
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    from training.train import train

    config = configs.load(options.config)
    if options.steps:
        optimiser = config.optimiser.model_copy(update={"steps": options.steps})
        config = config.model_copy(update={"optimiser": optimiser})
    print(train(config, options.out, options.resume))


if __name__ == "__main__":
    sys.exit(main())
