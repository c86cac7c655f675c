"""`python -m training measure`: the paper's claims about its losses."""

import argparse
from pathlib import Path

from training import config as configs

CACHE = Path("build/cache")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `measure` with its own commands."""
    parser = commands.add_parser("measure", help="measure what the paper claims about its losses")
    kinds = parser.add_subparsers(dest="claim", required=True, metavar="CLAIM")
    brightness = kinds.add_parser("brightness", help="VGG19's features before and after their activation")
    brightness.add_argument("--config", type=Path, required=True)
    brightness.add_argument("--weights", type=Path, help="VGG19's weights, instead of the configuration's")
    brightness.add_argument("--pictures", type=int, default=8, help="default: 8")
    brightness.add_argument("--steps", type=int, default=60, help="default: 60")
    brightness.set_defaults(run=_brightness)
    pattern = kinds.add_parser("pattern", help="the readings of the binary pattern constraint")
    pattern.add_argument("--config", type=Path, required=True)
    pattern.add_argument("--steps", type=int, default=200, help="of each training; default: 200")
    pattern.add_argument("--weight", type=float, default=1.0, help="of the constraint; default: 1")
    pattern.add_argument("--out", type=Path, default=Path("runs/pattern"), help="default: runs/pattern")
    pattern.set_defaults(run=_pattern)


def _brightness(options: argparse.Namespace) -> None:
    from training.losses.vgg_weights import load_weights
    from training.measure.brightness import measure

    config = configs.load(options.config)
    weights = load_weights(options.weights or config.perceptual.weights, CACHE)
    print(f"{config.perceptual.layer}, {options.pictures} pictures, {options.steps} steps")
    for name, found in measure(config, weights, options.pictures, options.steps, CACHE).items():
        print(
            f"{name} activation: {found.active:.1%} of the features active; brightness off by {found.shift_before:.4f} "
            f"at the start, {found.shift_after:.4f} at the end; pixels off by {found.error_after:.4f}"
        )


def _pattern(options: argparse.Namespace) -> None:
    from training.measure.pattern import measure

    config = configs.load(options.config)
    optimiser = config.optimiser.model_copy(update={"steps": options.steps})
    config = config.model_copy(update={"optimiser": optimiser})
    print("reading | wrong pixels pushed further away | wrong modules | grey pixels")
    for name, found in measure(config, options.weight, options.out, CACHE).items():
        pushed = "-" if found.pushed_away is None else f"{found.pushed_away:.1%}"
        print(f"{name} | {pushed} | {found.module_error:.4f} | {found.grey:.4f}")
