"""Build the payload model of the soft-decision reader from the grammars of this folder.

    python -m training.payloads

The same Python gives the same file: the grammars draw by a fixed seed. Payloads of the benchmark are none of its
material.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from service.decoding.soft.prior.automaton import MODEL_FILE
from training.payloads.corpus import payloads
from training.payloads.estimation import estimated


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=240_000, help="payloads drawn (default %(default)s)")
    parser.add_argument("--arcs", type=int, default=50_000, help="size of the model (default %(default)s)")
    parser.add_argument("--seed", type=int, default=30)
    parser.add_argument("--out", type=Path, default=MODEL_FILE)
    given = parser.parse_args()
    tables = estimated(payloads(given.seed, given.count), given.arcs)
    np.savez_compressed(given.out, **asdict(tables))
    print(
        f"{given.out}: {len(tables.counts)} contexts, {len(tables.bytes)} arcs, {given.out.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
