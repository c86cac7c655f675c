"""`python -m training`: train a generator and release it."""

import argparse
import sys
from pathlib import Path

from training import config as configs

CACHE = Path("build/cache")
"""Where generated symbols are kept between runs."""
QUICK = Path(__file__).parent / "configs" / "quick.toml"
"""Trains something within two minutes."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_pack(commands)
    _add_interpolate(commands)
    _add_export(commands)
    _add_precision(commands)
    _add_throughput(commands)
    options = parser.parse_args(arguments)
    from training.checkpoint import CheckpointError
    from training.errors import InterruptedRunError, TrainingError
    from training.losses.vgg_weights import WeightsError

    try:
        run = options.run
        return int(run(options) or 0)
    except InterruptedRunError as error:
        print(error, file=sys.stderr)
        return 128 + error.signal
    except (configs.ConfigError, CheckpointError, TrainingError, WeightsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("train", help="train a generator, or continue a run")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--config", type=Path, help="TOML file, see training/configs")
    which.add_argument(
        "--quick",
        dest="config",
        action="store_const",
        const=QUICK,
        help=f"{QUICK}: two minutes, to try it out",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run: checkpoints, events")
    parser.add_argument(
        "--resume", type=Path, nargs="?", const=Path(), metavar="CHECKPOINT",
        help="continue from this checkpoint, by default from the folder's own",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, help="total optimiser steps, instead of the configuration's")
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    from training.train import LAST, train

    config = configs.load(options.config)
    resume = options.out / LAST if options.resume == Path() else options.resume
    if options.steps:
        optimiser = config.optimiser.model_copy(update={"steps": options.steps})
        config = config.model_copy(update={"optimiser": optimiser})
    print(train(config, options.out, resume, CACHE))


def _add_pack(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "pack", help="copy a checkpoint in 16 bits, to keep it and to go on from it elsewhere"
    )
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write, for `train --resume`")
    parser.set_defaults(run=_pack)


def _pack(options: argparse.Namespace) -> None:
    from training import checkpoint

    checkpoint.halved(checkpoint.load(options.checkpoint)).save(options.out)
    print(options.out)


def _add_interpolate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "interpolate", help="mix the weights of two generators: (1 - alpha) PSNR + alpha GAN"
    )
    what = "checkpoint or folder of a released version"
    parser.add_argument("--psnr", type=Path, required=True, help=f"of the first phase: {what}")
    parser.add_argument("--gan", type=Path, required=True, help=f"of the second phase: {what}")
    parser.add_argument("--alpha", type=float, required=True, help="share of the second, from 0 to 1")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write, for `export`")
    parser.set_defaults(run=_interpolate)


def _interpolate(options: argparse.Namespace) -> int:
    from training.interpolate import interpolate

    try:
        interpolate(options.psnr, options.gan, options.alpha).save(options.out)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.out)
    return 0


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("export", help="turn a checkpoint into an immutable model version")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--store", type=Path, default=Path("model_store"), help="default: model_store")
    parser.add_argument("--name", default="qr_sr_x4", help="default: qr_sr_x4")
    parser.add_argument("--version", type=int, required=True)
    parser.add_argument("--symbols", type=int, default=24, help="per cell of the calibration; default: 24")
    parser.add_argument(
        "--crops", type=int, default=240, help="held-out crops read for the manifest; default: 240"
    )
    parser.add_argument(
        "--wechat",
        type=Path,
        help="folder of WeChat's nets, which read the crops; default: wechat_qr/1 of the store",
    )
    parser.add_argument("--trained-on", default="CPU", help="device of the training, for the manifest")
    parser.add_argument("--notes", default="", help="for the manifest")
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from training import checkpoint
    from training.export import ExportError
    from training.interruption import exit_on_sigterm
    from training.release.read_rates import ReaderMissingError
    from training.release.versions import ReleaseError, release

    try:
        with exit_on_sigterm():
            folder = release(
                checkpoint.load(options.checkpoint), options.store, options.name, options.version,
                symbols=options.symbols, crops=options.crops, device=options.trained_on, notes=options.notes,
                wechat=options.wechat, cache=CACHE,
            )  # fmt: skip
    except (ExportError, ReaderMissingError, ReleaseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(folder)
    return 0


def _add_precision(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "precision",
        help="copy a released version in another precision, for example as the service's draft",
        description="fp16 is for GPUs, int8 for CPUs with VNNI instructions; see training/release/precision.py.",
    )
    parser.add_argument("precision", choices=("fp16", "int8"))
    parser.add_argument(
        "version", type=Path, help="folder of the released version, for example model_store/qr_sr_x4/1"
    )
    parser.add_argument(
        "--store",
        type=Path,
        help="where the copy becomes a release (default: model_store for fp16; int8 becomes the version's draft)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("training/configs/compact.toml"),
        help="configuration of the crops for int8",
    )
    parser.set_defaults(run=_precision)


def _precision(options: argparse.Namespace) -> int:
    from model_store.manifest import ManifestError
    from training.release.precision import convert, difference, training_crops

    crops = training_crops(options.config)
    store = options.store or (Path("model_store") if options.precision == "fp16" else None)
    try:
        folder = convert(options.version, store, options.precision, crops)
        largest, flipped = difference(options.version, folder, crops)
    except ManifestError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: logits differ by {largest:.3f} at most, {flipped:.4%} of the sure pixels change sign")
    print(f"decode rates: python -m benchmark paper --model {folder} --out build/{options.precision}")
    return 0


def _add_throughput(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("throughput", help="samples per second of the data and of the trainer")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=30)
    parser.set_defaults(run=_throughput)


def _throughput(options: argparse.Namespace) -> None:
    from training.devices import device_of
    from training.throughput import measure

    config = configs.load(options.config)
    result = measure(config, device_of(config), options.steps, CACHE)
    print(f"generated by one source: {result.generated:.1f} samples/s")
    print(f"trained: {result.trained:.1f} samples/s, which needs {result.needed:.1f} fresh samples/s")


if __name__ == "__main__":
    sys.exit(main())
