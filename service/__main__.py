"""`python -m service`: one process that serves HTTP, and its decoder children."""

import sys


def main() -> int:
    """Serve until SIGTERM or SIGINT; accepted requests are finished first. Returns the exit status."""
    from service.memory import tune

    # Before NumPy and OpenCV allocate anything.
    tune()

    from service.serve import main as serve

    return serve()


if __name__ == "__main__":
    sys.exit(main())
