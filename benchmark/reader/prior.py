"""Decoding with a payload model: the gain on a fading channel, and a test of its misread bound.

    python -m benchmark reader prior

Payloads come from a folder of photographs (`--photos`), or else from the grammars of the model, with a seed that was
not used for it. The trials have bad reception: arbitrary bytes, plausible URLs with one character exchanged, payloads
from the grammars, and symbols without content. Each is decoded at the reader's limit, and at a limit that refuses
hardly anything, so that wrong payloads would appear if the bound were too low.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import segno
from numpy.typing import NDArray
from tqdm import tqdm

from benchmark.figures.machine import machine
from benchmark.reader.channel import Soft, empty, fading, white
from benchmark.reader.misread_bound import CARELESS
from benchmark.sets.photos import read_index
from service.decoding.soft import acceptance
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import LEVELS, Level
from service.decoding.soft.decode import decode_modules
from service.decoding.soft.effort import Effort
from service.decoding.soft.prior.hints import hint
from service.decoding.soft.prior.joint import decode_with_prior
from training.payloads.corpus import payloads
from training.payloads.urls import url

CELLS: Final[tuple[tuple[Level, float], ...]] = (
    ("L", 0.04), ("L", 0.06), ("L", 0.08), ("L", 0.1), ("M", 0.1), ("M", 0.13), ("M", 0.16)
)  # fmt: skip
"""Levels and module error rates."""
HINT_RATES: Final = (0.11, 0.13, 0.15, 0.17)
HINTS: Final[dict[str, Callable[[str, list[str]], str]]] = {
    "prefix of 20": lambda text, _: f"prefix:{text[:20]}",
    "length": lambda text, _: f"length:{len(text)}",
    "regex": lambda _, __: "regex:https://id\\.example/[A-Z2-9]{8}",
    "list of 1,000": lambda _, codes: "list:" + "\n".join(f"https://id.example/{code}" for code in codes),
}
READER, AMPLE = 36.0, 400.0
"""Nominal milliseconds: the reader's limit for a picture, and more than is ever useful."""
_LEAST, _MOST = 6, 130
"""Least and most bytes of the payloads of photographs."""
_WORST: Final[dict[Level, float]] = {"L": 0.14, "M": 0.2, "Q": 0.26, "H": 0.32}


def run(given: argparse.Namespace) -> None:
    """Write `prior.json`."""
    texts = _photographed(given.photos) if given.photos else _drawn(given.seed, given.count)
    rng = np.random.default_rng(given.seed)
    rows = [measure(level, rate, texts, given.count, rng) for level, rate in tqdm(CELLS, desc="cells")]
    limits = (acceptance.DEFAULT_LIMIT, CARELESS)
    trials = [
        {"limit": limit, "kinds": _trials(given.trials, limit, np.random.default_rng([given.seed, number]))}
        for number, limit in enumerate(limits)
    ]
    expected = [measure_hints(rate, given.count, rng) for rate in tqdm(HINT_RATES, desc="hints")]
    result = {
        "command": given.typed,
        "environment": machine(),
        "payloads": f"{len(texts)} {'of photographs' if given.photos else 'drawn'}",
        "rows": rows,
        "hints": expected,
        "trials": trials,
    }
    print(json.dumps({"rows": rows, "hints": expected, "trials": trials}, indent=1))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "prior.json").write_text(json.dumps(result, indent=1) + "\n")


def measure(
    level: Level, rate: float, texts: list[bytes], count: int, rng: np.random.Generator
) -> dict[str, Any]:
    """`count` receptions of one cell, decoded without and with the model, at the reader's limit of work and with
    more."""
    read = {"without": 0, "reader": 0, "ample": 0}
    wrong = 0
    spent: list[float] = []
    for number in range(count):
        text = texts[number % len(texts)]
        dark = _symbol(text, level, rng)
        version = layout.version_of_size(len(dark))
        llr = fading(dark, rate, rng)
        plain = decode_modules(llr, version)
        if plain is not None:
            wrong += plain.payload != text
            for name in read:
                read[name] += plain.payload == text
            continue
        for name, work in (("reader", READER), ("ample", AMPLE)):
            begun = time.process_time()
            found = decode_with_prior(llr, version, Effort(work, time.monotonic() + 60))
            if name == "reader":
                spent.append(1e3 * (time.process_time() - begun))
            if found is not None:
                wrong += found.payload != text
                read[name] += found.payload == text
    milliseconds = round(float(np.median(spent)), 1) if spent else None
    return {
        "level": level,
        "error_rate": rate,
        "count": count,
        "read": read,
        "wrong": wrong,
        "ms": milliseconds,
    }


def measure_hints(rate: float, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """`count` receptions of links of 27 bytes at level L, each decoded without and with every hint."""
    read = dict.fromkeys(("none", *HINTS), 0)
    wrong = 0
    for _ in range(count):
        codes = ["".join(rng.choice(list("ABCDEFGHJKLMNPQRSTUVWXYZ23456789"), 8)) for _ in range(1000)]
        text = f"https://id.example/{codes[0]}".encode()
        dark = _symbol(text, "L", rng)
        llr, version = fading(dark, rate, rng), layout.version_of_size(len(dark))
        plain = decode_modules(llr, version)
        for name in read:
            effort = Effort(AMPLE, time.monotonic() + 60)
            expected = None if name == "none" else hint(HINTS[name](text.decode(), codes))
            found = plain or decode_with_prior(llr, version, effort, hint=expected)
            read[name] += found is not None and found.payload == text
            wrong += found is not None and found.payload != text
    return {"error_rate": rate, "count": count, "read": read, "wrong": wrong}


def _trials(count: int, limit: float, rng: np.random.Generator) -> list[dict[str, Any]]:
    """`count` bad receptions, a quarter of each kind."""
    found = []
    for kind, draw in _KINDS.items():
        read = wrong = 0
        for _ in tqdm(range(count // len(_KINDS)), desc=f"{kind}, limit {limit:g}", unit="trial"):
            llr, version, text = draw(rng)
            seen = decode_with_prior(llr, version, Effort(AMPLE, time.monotonic() + 60), limit=limit)
            if seen is not None:
                read += seen.payload == text
                wrong += seen.payload != text
        found.append({"kind": kind, "trials": count // len(_KINDS), "read": read, "wrong": wrong})
    return found


def _received(text: bytes, rng: np.random.Generator, mode: str | None = None) -> tuple[Soft, int, bytes]:
    level = LEVELS[int(rng.integers(4))]
    dark = _symbol(text, level, rng, mode)
    channel = (white, fading)[int(rng.integers(2))]
    llr = channel(dark, rng.uniform(0.3, 1.0) * _WORST[level], rng) * np.float32(rng.choice([0.5, 1.0, 2.0]))
    return llr, layout.version_of_size(len(dark)), text


def _arbitrary(rng: np.random.Generator) -> tuple[Soft, int, bytes]:
    # Left to itself segno takes some pairs of bytes that are no kanji for kanji, and writes others.
    return _received(rng.bytes(int(rng.integers(4, 60))), rng, mode="byte")


def _near_miss(rng: np.random.Generator) -> tuple[Soft, int, bytes]:
    text = bytearray(next(_urls(rng)))
    place = int(rng.integers(len(text)))
    text[place] = int(rng.choice([byte for byte in range(33, 127) if byte != text[place]]))
    return _received(bytes(text), rng)


def _plausible(rng: np.random.Generator) -> tuple[Soft, int, bytes]:
    return _received(next(_short(rng)), rng)


def _nothing(rng: np.random.Generator) -> tuple[Soft, int, bytes]:
    version = int(rng.choice([1, 1, 2, 3, 4]))
    return empty(version, rng), version, b""


_KINDS: Final[dict[str, Callable[[np.random.Generator], tuple[Soft, int, bytes]]]] = {
    "arbitrary bytes": _arbitrary,
    "a character off a URL": _near_miss,
    "payloads of the model's kinds": _plausible,
    "no symbol": _nothing,
}


def _short(rng: np.random.Generator) -> Iterator[bytes]:
    return (text for text in payloads(int(rng.integers(2**31)), 1000) if len(text) <= 70)


def _urls(rng: np.random.Generator) -> Iterator[bytes]:
    source = random.Random(int(rng.integers(2**31)))
    return (text for _ in range(1000) if len(text := url(source).encode()) <= 60)


def _symbol(
    text: bytes, level: Level, rng: np.random.Generator, mode: str | None = None
) -> NDArray[np.bool_]:
    mask = int(rng.integers(8))
    code = segno.make(text, error=level.lower(), mode=mode, boost_error=False, micro=False, mask=mask)
    return np.array([list(row) for row in code.matrix], dtype=bool)


def _photographed(folder: Path) -> list[bytes]:
    texts = sorted({photo.payload.encode() for photo in read_index(folder)})
    return [text for text in texts if _LEAST <= len(text) <= _MOST]


def _drawn(seed: int, count: int) -> list[bytes]:
    return [text for text in payloads(1_000_000 + seed, 2 * count) if _LEAST <= len(text) <= _MOST][:count]
