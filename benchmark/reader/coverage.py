"""What the soft-decision reader must read: every kind of clean symbol, and every decodable word.

    python -m benchmark reader coverage

1. Each of the 40 versions, 4 levels and 8 masks once, with the modes in turn (numeric, alphanumeric, byte, kanji,
   hanzi, mixed), as logits of a slightly blurred picture, from finder patterns to payload.
2. Each version and level with e wrong and s erased codewords in each of its blocks, along
   2 e + s = d - 1 - p (ISO/IEC 18004:2015, 7.5.1, table 9), if random words look like such a word less often than the
   reader's limit. The wrong bits of a codeword are random, and their reliabilities do not show that they are wrong.
"""

import argparse
import json
import time
from collections import Counter
from math import comb
from typing import Any

import cv2
import numpy as np
import segno
from numpy.typing import NDArray
from segno import consts
from tqdm import tqdm

from benchmark.figures.machine import machine
from benchmark.reader.simulated_logits import Scene, simulate
from service.decoding.soft import codewords, read_logits
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.codewords import LEVELS, Level
from service.decoding.soft.decode import decode_modules
from service.decoding.soft.effort import Effort

MASKS = range(8)
MODES = ("numeric", "alphanumeric", "byte", "kanji", "hanzi", "mixed")
LIMIT = 1e-8
"""Limit of the reader's misread bound."""
RESERVE = {(1, "L"): 3, (1, "M"): 2, (1, "Q"): 1, (1, "H"): 1, (2, "L"): 2, (3, "L"): 1}
"""p, the misread protection codewords of small symbols (ISO/IEC 18004:2015, table 9)."""
_SURE = 6.0
"""Log-likelihood ratio of a clear module, in nats."""
_PATIENT = 60.0
_MARGIN_BITS = 60
"""Bits of the capacity reserved for indicators."""


def message(mode: str, version: int, level: Level, rng: np.random.Generator) -> tuple[Any, bytes]:
    """Content for segno (segments with their modes) and its payload; random, and of random length."""
    if mode == "mixed":
        parts = (("12", "numeric"), ("A", "alphanumeric"), ("é", "byte"))
        payload = b"12A" + "é".encode("latin-1")
        return [(text, getattr(consts, f"MODE_{name.upper()}")) for text, name in parts], payload
    capacity = 8 * codewords.block_structure(version, level).data_codewords - _MARGIN_BITS
    bits = max(12, int(capacity * rng.uniform(0.2, 1)))
    code = getattr(consts, f"MODE_{mode.upper()}")
    if mode == "byte":
        content = bytes(rng.integers(0, 256, max(1, bits // 8), dtype=np.uint8))
        return [(content, code)], content
    characters, per_character, encoding = {
        "numeric": ("0123456789", 10 / 3, "ascii"),
        "alphanumeric": ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", 5.5, "ascii"),
        "kanji": ("日本語点茗荷漢字熙", 13.0, "shift_jis"),
        "hanzi": ("汉字二维码书法", 13.0, "gb2312"),
    }[mode]
    text = "".join(rng.choice(list(characters), max(1, int(bits / per_character) - 1)))
    return [(text, code)], text.encode(encoding)


def clean(seed: int) -> dict[str, Any]:
    """Part 1: the number of symbols, of those read with their payload, version, level and mask, and those not read."""
    found: Counter[str] = Counter()
    missed = []
    kinds = [(v, level, mask) for v in layout.VERSIONS for level in LEVELS for mask in MASKS]
    for number, (version, level, mask) in enumerate(tqdm(kinds, desc="clean", unit="symbol")):
        mode = MODES[(number + version) % len(MODES)]
        rng = np.random.default_rng([seed, version, LEVELS.index(level), mask])
        segments, payload = message(mode, version, level, rng)
        symbol = segno.make(
            segments, version=version, error=level.lower(), mask=mask, boost_error=False, micro=False
        )
        dark = np.array([list(row) for row in symbol.matrix], dtype=bool)
        scene = Scene(rotation=float(rng.uniform(0, 360)), blur=0.3, noise=0.0)
        readings = read_logits(simulate(dark, scene, rng).logits, deadline_s=_PATIENT)
        seen = [(one.payload, one.version, one.level, one.mask) for one in readings]
        found[mode] += 1
        if seen != [(payload, version, level, mask)]:
            missed.append(
                {"version": version, "level": level, "mask": mask, "mode": mode, "wrong": bool(seen)}
            )
    return {"symbols": dict(found), "missed": missed}


def to_the_limit(seed: int) -> dict[str, Any]:
    """Part 2: the combinations of errors and erasures, those read, and those misread."""
    tried, wrong, missed = 0, 0, []
    kinds = [(version, level) for version in layout.VERSIONS for level in LEVELS]
    for version, level in tqdm(kinds, desc="limit", unit="kind"):
        structure = codewords.block_structure(version, level)
        rng = np.random.default_rng([seed, version, LEVELS.index(level), 8])
        segments, payload = message("byte", version, level, rng)
        symbol = segno.make(segments, version=version, error=level.lower(), boost_error=False, micro=False)
        dark = np.array([list(row) for row in symbol.matrix], dtype=bool)
        spend = structure.checks - RESERVE.get((version, level), 0)
        for erasures in sorted({0, 1, 2, spend // 4, spend // 3, spend // 2, max(spend - 5, 0), spend}):
            errors = (spend - erasures) // 2
            if _by_chance(structure, errors, erasures) > LIMIT:
                continue
            llr = np.where(dark, _SURE, -_SURE).astype(np.float32)
            _damage(llr, version, level, errors, erasures, rng)
            decoded = decode_modules(llr, version, Effort(1e9, time.monotonic() + _PATIENT))
            tried += 1
            if decoded is None:
                missed.append({"version": version, "level": level, "errors": errors, "erasures": erasures})
            elif decoded.payload != payload:
                wrong += 1
    return {"tried": tried, "wrong": wrong, "missed": missed}


def _by_chance(structure: codewords.BlockStructure, errors: int, erasures: int) -> float:
    """Share of words within `errors` codewords of a code word with so many erasures; see `acceptance`."""
    spheres = sum(comb(structure.length - erasures, i) * 255**i for i in range(errors + 1))
    chances = 3 * (structure.checks if erasures else 1) * structure.blocks
    return float(chances * spheres / 256 ** (structure.checks - erasures))


def _damage(
    llr: NDArray[np.float32],
    version: int,
    level: Level,
    errors: int,
    erasures: int,
    rng: np.random.Generator,
) -> None:
    """Put into every block codewords with about half of the bits wrong but sure, and erased codewords."""
    order = layout.data_order(version)
    for row in codewords.interleaving(version, level).tolist():
        block = [order[8 * place : 8 * place + 8] for place in row if place >= 0]
        places = rng.permutation(len(block))[: errors + erasures]
        for place in places[:errors]:
            wrong = np.unpackbits(np.array([rng.integers(1, 256)], np.uint8)).astype(bool)
            modules = block[place][wrong]
            llr[modules[:, 0], modules[:, 1]] *= -1
        for place in places[errors:]:
            llr[block[place][:, 0], block[place][:, 1]] = 0


def run(given: argparse.Namespace) -> int:
    """Write `reader-coverage.json`; 1 if any symbol was not read or misread."""
    cv2.setNumThreads(1)
    result: dict[str, Any] = {
        "command": given.typed,
        "environment": machine(),
        "clean": clean(given.seed),
        "limit": to_the_limit(given.seed),
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "coverage.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({name: result[name] for name in ("clean", "limit")}))
    return int(bool(result["clean"]["missed"] or result["limit"]["missed"] or result["limit"]["wrong"]))
