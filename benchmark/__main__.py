"""`python -m benchmark`: every figure of every page, and the regression floor."""

import argparse
import shlex
import sys

from benchmark.errors import BenchmarkError
from benchmark.protocols import cli as protocols
from benchmark.reader import cli as reader
from benchmark.readme import cli as readme
from benchmark.recipe import cli as recipe
from benchmark.scaling import cli as scaling
from benchmark.serving import cli as serving
from model_store.manifest import ManifestError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 1 for a result that is not good enough, 2 if it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m benchmark", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (protocols, reader, serving, recipe, readme, scaling):
        part.add_commands(commands)
    typed = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(typed)
    options.typed = f"python -m benchmark {shlex.join(typed)}"
    try:
        return int(options.run(options) or 0)
    except (BenchmarkError, ManifestError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
