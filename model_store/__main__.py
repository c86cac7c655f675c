"""`python -m model_store`: what lies in the store, whether it is whole; fetching what is not committed."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from model_store.fetch import FetchError, fetch
from model_store.manifest import DRAFT, MANIFEST_NAME, ManifestError, load_generator, load_third_party

LOCAL_SOURCE = "QRSR_WECHAT_SOURCE"
"""Environment variable that names a folder with the WeChat files."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    root: Path = options.root
    try:
        if options.command == "fetch":
            local = os.environ.get(LOCAL_SOURCE)
            for folder in _third_party(root):
                fetch(folder, Path(local) if local else None, print)
            return 0
        if options.command == "verify":
            for folder in _versions(root):
                _verify(folder)
                print(f"{folder.relative_to(root)}: verified")
            return 0
        for folder in _versions(root):
            print(f"{folder.relative_to(root)}: {_state(folder)}")
    except (FetchError, ManifestError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_store", description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).parent, help="the store (default: this package's folder)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "fetch",
        help="bring the files that manifests name by hash and that are missing or altered",
        description="Looks in the folder that the environment variable "
        f"{LOCAL_SOURCE} names, if it is set, then in the sources of each manifest, in their order.",
    )
    commands.add_parser("list", help="name every version and its state")
    commands.add_parser(
        "verify", help="check every file of every version; fail on the first that is not right"
    )
    return parser


def _versions(root: Path) -> Iterator[Path]:
    """Folders of complete or incomplete versions and of their drafts, in the order of names and numbers."""
    found = [
        path.parent for level in ("*/*", f"*/*/{DRAFT}") for path in root.glob(f"{level}/{MANIFEST_NAME}")
    ]

    def order(folder: Path) -> tuple[str, int, tuple[str, ...]]:
        name, number, *within = folder.relative_to(root).parts
        return name, len(number), (number, *within)

    yield from sorted(found, key=order)


def _third_party(root: Path) -> Iterator[Path]:
    return (folder for folder in _versions(root) if _is_third_party(folder))


def _is_third_party(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
    except ValueError as error:
        raise ManifestError(f"{folder / MANIFEST_NAME}: {error}") from error
    return isinstance(manifest, dict) and "sources" in manifest


def _verify(folder: Path) -> None:
    if _is_third_party(folder):
        load_third_party(folder)
    else:
        load_generator(folder)


def _state(folder: Path) -> str:
    try:
        _verify(folder)
    except ManifestError as error:
        return f"not usable: {error}"
    return "complete"


if __name__ == "__main__":
    sys.exit(main())
