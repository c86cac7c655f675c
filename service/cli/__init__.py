"""`python -m service`: which command, with which options; each command is a module of its own.

Nothing here imports NumPy or OpenCV, so that memory is tuned before they allocate any.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

EXIT_STATUS = """\
exit status of read and upscale:
  0  every file was read, or enlarged
  1  in some file there was nothing to read
  2  some file could not be used (each is named on standard error), or the command line makes no sense
  3  the generator or the readers did not come up
"""
READ, NOTHING, UNUSABLE, NOT_STARTED = 0, 1, 2, 3
"""See `EXIT_STATUS`."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What `read` was asked for."""

    files: tuple[str, ...]
    """Paths; `-` is standard input."""
    as_json: bool


@dataclass(frozen=True, slots=True)
class UpscaleOptions:
    """What `upscale` was asked for."""

    source: str
    target: str
    """Paths; `-` is standard input and output."""
    format: str | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; without a command, serve. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        return _serve(options)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Reads QR symbols that other software gives up on. Settings come from QRSR_... in the environment.",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve HTTP (this is done without a command)")
    serve.set_defaults(run=_serve)
    read = commands.add_parser(
        "read",
        help="print the payloads of the symbols in image files",
        description="Print the payload of every symbol, a line each, after the file's name where there are several. "
        "Control characters and backslashes are escaped; a payload that is no text is printed as hex:....",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    read.add_argument("files", nargs="+", metavar="FILE", help="image file, or - for standard input")
    read.add_argument(
        "--json",
        action="store_true",
        help="a line of JSON for each file: the answer of /decode, or its error",
    )
    read.set_defaults(run=_read)
    upscale = commands.add_parser(
        "upscale",
        help="enlarge an image file four times",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    upscale.add_argument("source", metavar="IN", help="image file, or - for standard input")
    upscale.add_argument("target", metavar="OUT", help="file to write, or - for standard output")
    upscale.add_argument(
        "--format", choices=("png", "jpeg", "webp"), help="default: what OUT's name ends with, else png"
    )
    upscale.set_defaults(run=_upscale)
    return parser


def _serve(_: argparse.Namespace) -> int:
    from service.serve import main as serve

    return serve()


def _read(options: argparse.Namespace) -> int:
    from service.cli.read import run

    return run(ReadOptions(tuple(options.files), options.json))


def _upscale(options: argparse.Namespace) -> int:
    from service.cli.upscale import run

    return run(UpscaleOptions(options.source, options.target, options.format))
