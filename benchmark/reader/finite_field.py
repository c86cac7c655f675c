"""Reed–Solomon decoders side by side: the cost of a library in a decoder process, and the time of a word.

    python -m benchmark reader finite-field

The largest block of a QR symbol, (134, 108), decoded clean and with 13 codewords wrong. Each decoder is measured in a
process of its own. `reedsolo` and `galois` are no dependencies of this project; they are left out if not installed.
"""

import argparse
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.figures.machine import machine

LENGTH, DATA = 134, 108
ERRORS = (LENGTH - DATA) // 2
WORDS = 20
"""Words in a batch."""
_REPEATS = 5

Decode = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""From received words `(k, 134)` to corrected words."""


def ours() -> Decode:
    """`service.decoding.soft.reed_solomon`."""
    from service.decoding.soft import reed_solomon

    return lambda words: reed_solomon.correct(words, np.zeros(words.shape, bool), LENGTH - DATA)[0]


def reedsolo() -> Decode:
    """reedsolo, pure Python."""
    library = importlib.import_module("reedsolo")

    codec = library.RSCodec(LENGTH - DATA, nsize=LENGTH)
    return lambda words: np.array([list(codec.decode(word.tobytes())[1]) for word in words], np.uint8)


def galois() -> Decode:
    """galois, compiled by numba."""
    library = importlib.import_module("galois")

    polynomial = library.Poly.Int(0x11D)
    code = library.ReedSolomon(
        255, 255 - (LENGTH - DATA), field=library.GF(256, irreducible_poly=polynomial), c=0, alpha=2
    )
    return lambda words: np.asarray(code.decode(code.field(words), output="codeword"), np.uint8)


DECODERS = {"reed_solomon": ours, "reedsolo": reedsolo, "galois": galois}


def measure(name: str) -> dict[str, Any]:
    """Import, memory and milliseconds a word of one decoder, in this process."""
    start, before = time.process_time(), _resident()
    decode = DECODERS[name]()
    imported = time.process_time() - start
    rng = np.random.default_rng(5)
    words = np.zeros((WORDS, LENGTH), np.uint8)
    wrong = words.copy()
    for word in wrong:
        word[rng.permutation(LENGTH)[:ERRORS]] = rng.integers(1, 256, ERRORS)
    row: dict[str, Any] = {"decoder": name, "import_s": round(imported, 3)}
    for title, received in (("clean", words), ("errors", wrong)):
        for batch in (1, WORDS):
            if decode(received[:batch]).any():
                raise AssertionError(f"{name} does not decode correctly")
            times = []
            for number in range(_REPEATS):
                at = (number * batch) % WORDS
                start = time.process_time()
                decode(received[at : at + batch])
                times.append(1e3 * (time.process_time() - start) / batch)
            row[f"{title}_{batch}"] = round(float(np.median(times)), 4)
    return row | {"resident_mb": round(_resident() - before)}


def _resident() -> float:
    """Peak resident size of this process in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(given: argparse.Namespace) -> None:
    """Write `finite-field.json`."""
    rows = []
    for name in DECODERS:
        if name != "reed_solomon" and importlib.util.find_spec(name) is None:
            print(f"without {name}: not installed", file=sys.stderr)
            continue
        rows.append(_measured_alone(name))
        print(rows[-1], flush=True)
    result = {"command": given.typed, "environment": machine(), "rows": rows}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "finite-field.json").write_text(json.dumps(result, indent=1) + "\n")


def _measured_alone(name: str) -> dict[str, Any]:
    """`measure(name)` in a fresh process, so that its memory has nothing of another decoder."""
    program = f"import json; from {__name__} import measure; print(json.dumps(measure({name!r})))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    row: dict[str, Any] = json.loads(done.stdout)
    return row
