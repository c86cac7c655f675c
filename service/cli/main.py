"""`python -m service`: which command, with which options; each command is a module of its own.

Nothing here imports NumPy or OpenCV, so that memory is tuned before they allocate any.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from service import VERSION
from service.cli.options import (
    EXIT_STATUS,
    NOT_STARTED,
    READ,
    READ_EXAMPLES,
    RESULTS,
    UPSCALE_EXAMPLES,
    BulkOptions,
    ReadOptions,
    UpscaleOptions,
)

CONSOLE = "qrsr"
"""The installed command; the other name is `python -m service`."""
_OURS = ("qrsr", "service", "model_store")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Without a command `python -m service` serves, and `qrsr` prints its help. Returns
    the exit status."""
    console = Path(sys.argv[0]).name == CONSOLE
    parser = _parser(CONSOLE if console else "python -m service")
    options = parser.parse_args(arguments)
    if options.command is None:
        if console:
            parser.print_help()
            return READ
        options = parser.parse_args(["serve"])
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in _OURS:
            raise
        parser.exit(
            NOT_STARTED,
            f"this needs {error.name}: pip install 'qr-super-resolution[cpu]', or [cuda] for a GPU\n",
        )


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Reads QR symbols that other software gives up on. Settings come from QRSR_... in the environment.",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"qr-super-resolution {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve HTTP")
    serve.add_argument("--host", help="address to listen on; default: QRSR_HOST, or 127.0.0.1")
    serve.add_argument("--port", help="port to listen on; default: QRSR_PORT, or 8000")
    serve.set_defaults(run=_serve)
    fetch = commands.add_parser(
        "fetch-models", help="fetch the WeChat files, which the package does not hold, and check them by hash"
    )
    fetch.set_defaults(run=_fetch_models)
    openapi = commands.add_parser("openapi", help="print the contract of the HTTP interface")
    openapi.set_defaults(run=_openapi)
    settings = commands.add_parser("settings", help="print the table of settings")
    settings.set_defaults(run=_settings)
    read = commands.add_parser(
        "read",
        help="print the payloads of the symbols in image files, or read any number of files into a table",
        description="Print the payload of every symbol, a line each, after the file's name where there are several. "
        "Control characters and backslashes are escaped; a payload that is no text is printed as hex:.... "
        "With --out, read folders and lists of files into one Parquet, CSV or JSON Lines file.",
        epilog=f"{READ_EXAMPLES}\n{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    read.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="image file, or - for standard input; with --out also a folder",
    )
    read.add_argument(
        "--json",
        action="store_true",
        help="a line of JSON for each file: the answer of /decode, or its error",
    )
    read.add_argument(
        "--expect",
        metavar="HINT",
        default="",
        help="what the payloads may be: prefix:TEXT, charset:LETTERS, length:N or N-M, regex:EXPRESSION, or list:@FILE "
        "with a candidate a line; helps where a symbol is hardly readable and forces nothing",
    )
    read.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="URL",
        help="an image on the web, which this command fetches; the service fetches nothing; may be given several times",
    )
    read.add_argument(
        "--watch", metavar="FOLDER", help="read the images in a folder and each one that comes, until Ctrl-C"
    )
    _add_bulk(
        read,
        "RESULT",
        "the file to write in the end: .parquet and .jsonl have a row for each file, .csv one for each symbol",
    )
    read.set_defaults(run=partial(_read, read))
    upscale = commands.add_parser(
        "upscale",
        help="enlarge an image file four times, or any number of them",
        usage="%(prog)s [--format FORMAT] IN OUT\n       %(prog)s [options] FILE... --out FOLDER",
        epilog=f"{UPSCALE_EXAMPLES}\n{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    upscale.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="without --out the image file and the file to write, or - for standard input and output; "
        "with --out any number of files and folders",
    )
    upscale.add_argument(
        "--format", choices=("png", "jpeg", "webp"), help="default: what OUT's name ends with, else png"
    )
    _add_bulk(upscale, "FOLDER", "the folder for all enlarged images and the table of them, results.parquet")
    upscale.set_defaults(run=partial(_upscale, upscale))
    return parser


def _add_bulk(parser: argparse.ArgumentParser, out: str, what: str) -> None:
    group = parser.add_argument_group(
        "any number of files",
        "Interrupted in whatever way, the same command goes on where it ended. Errors are rows of the table.",
    )
    group.add_argument("--out", metavar=out, help=what)
    group.add_argument(
        "--list",
        action="append",
        default=[],
        metavar="FILE",
        help="list of files: .parquet, .csv, .tsv, .jsonl, or text with a name a line; - for standard input; may be "
        "given several times",
    )
    group.add_argument("--column", help="column of the lists that has the names; default: the usual one")
    group.add_argument(
        "--match",
        action="append",
        default=[],
        metavar="PATTERN",
        help="of folders, take files whose name matches, such as '*.jpg'; may be given several times",
    )
    group.add_argument(
        "--root",
        default=".",
        metavar="FOLDER",
        help="what names are relative to; default: the working directory",
    )
    group.add_argument(
        "--part",
        type=_whole(1, 100_000),
        default=256,
        metavar="N",
        help="files worked on as a whole; default: 256",
    )
    group.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="work on a Ray cluster: auto, HOST:PORT, ray://HOST:PORT, or local for one on this machine",
    )
    group.add_argument(
        "--workers",
        type=_whole(1, 100_000),
        metavar="N",
        help="on a cluster; default: as many as have room now",
    )
    group.add_argument(
        "--worker-cpus", type=_whole(1, 1024), default=2, metavar="N", help="of each; default: 2"
    )
    group.add_argument(
        "--worker-gpus",
        type=_share,
        metavar="N",
        help="of each; 0.5 lets two share one; default: 1 where QRSR_DEVICE is cuda, else 0",
    )


def _whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return int(text)

    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 64 or (number > 1 and number % 1):
        raise argparse.ArgumentTypeError(f"{text} is neither a share of a GPU nor a number of them")
    return number


def _serve(options: argparse.Namespace) -> int:
    for name in ("host", "port"):
        if (value := getattr(options, name)) is not None:
            os.environ[f"QRSR_{name.upper()}"] = value
    from service.server.main import main as serve

    return serve()


def _fetch_models(_: argparse.Namespace) -> int:
    from service.cli.fetch_models import run

    return run()


def _openapi(_: argparse.Namespace) -> int:
    from service.cli.openapi import text

    print(text(), end="")
    return READ


def _settings(_: argparse.Namespace) -> int:
    from service.settings import markdown_table

    print(markdown_table())
    return READ


def _read(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.out is not None:
        if options.url or options.watch is not None:
            parser.error("--url and --watch are for standard output")
        if options.json:
            parser.error(
                "--json is for standard output; --out writes what its name ends with, such as .jsonl"
            )
        if options.expect:
            parser.error("--expect is for standard output")
        _check_result(parser, Path(options.out))
        return _bulk(parser, options, None)
    _refuse_bulk(parser, options)
    if options.watch is not None:
        if options.files or options.url:
            parser.error("--watch reads one folder and nothing else")
        if not Path(options.watch).is_dir():
            parser.error(f"--watch {options.watch}: there is no such folder")
    elif not options.files and not options.url:
        parser.error("no FILE")
    for url in options.url:
        if not url.startswith(("http://", "https://")):
            parser.error(f"--url {url}: an address begins with http:// or https://")
    for name in options.files:
        if name.startswith(("http://", "https://")):
            parser.error(f"{name} is no file; --url {name} fetches it")
    from service.cli.read import run

    expected = _expected(parser, options.expect)
    return run(ReadOptions(tuple(options.files), options.json, expected, tuple(options.url), options.watch))


def _expected(parser: argparse.ArgumentParser, text: str) -> str:
    """The hint, a list's file read. Whether it is understood is for the command to find out."""
    if text.startswith("list:@"):
        try:
            text = "list:" + Path(text.removeprefix("list:@")).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"--expect: {error}")
    return text


def _upscale(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.out is not None:
        return _bulk(parser, options, options.format or "png")
    _refuse_bulk(parser, options)
    if len(options.files) != 2:
        parser.error("one IN and one OUT, or --out")
    from service.cli.upscale import run

    source, target = options.files
    return run(UpscaleOptions(source, target, options.format))


def _check_result(parser: argparse.ArgumentParser, out: Path) -> None:
    if out.is_dir() or str(out).endswith("/"):
        parser.error(f"--out {out} is a folder; name a file in it, such as {out / 'results.parquet'}")
    if out.suffix.lower() not in RESULTS:
        parser.error(f"--out {out}: the name says what is written, and ends with {', '.join(RESULTS)}")


def _refuse_bulk(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    for name in ("list", "column", "match", "ray", "workers", "worker_gpus"):
        if getattr(options, name):
            parser.error(f"--{name.replace('_', '-')} needs --out")


def _bulk(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    image_format: Literal["png", "jpeg", "webp"] | None,
) -> int:
    if not options.files and not options.list:
        parser.error("no FILE and no --list")
    if "-" in options.files:
        parser.error("- is no image here; --list - takes names from standard input")
    try:
        from service.cli.bulk import run
    except ModuleNotFoundError as error:
        parser.exit(NOT_STARTED, f"--out needs {error.name}: install the extra `bulk`\n")
    return run(
        BulkOptions(
            command=options.command,
            format=image_format,
            sources=tuple(options.files),
            out=options.out,
            lists=tuple(options.list),
            column=options.column,
            match=tuple(options.match),
            root=options.root,
            part=options.part,
            ray=options.ray,
            workers=options.workers or 0,
            worker_cpus=options.worker_cpus,
            worker_gpus=options.worker_gpus,
        )
    )
