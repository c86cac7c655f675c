"""`python -m service`: serves HTTP, or reads and enlarges files without a server; see `service.cli.main`."""

import sys


def main() -> int:
    """Do what the command line says. Returns the exit status."""
    from service.machine import tune

    # Before NumPy and OpenCV allocate anything.
    tune()

    from service.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
