"""Decoding measured apart from geometry: read and misread rates against the quality of simulated modules.

    python -m benchmark reader channel [--quick] [--trials N] [--seed N]

Symbols by segno, filled to nine tenths with random text, pass one of two channels of known reliability at a
given module error rate: white noise of constant strength, and white noise under Rayleigh fading, in which
wrong modules are unsure, as in a generator's output. Each reception is decoded in three ways: by hard decisions alone,
as readers usually do (the nearest format word, bounded-distance Reed–Solomon); by codeword erasures that take the first
success (no guard); and by `service.decoding.soft.decode`. Times are medians of processor time. A last table decodes
receptions without a symbol. `misread_bound` tests the misread bound.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.figures.machine import machine
from benchmark.sets.filled_symbols import filled_symbol
from service.decoding.soft import acceptance, bitstream, codewords, reed_solomon
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.characters import BitStreamError
from service.decoding.soft.codewords import LEVELS, Level
from service.decoding.soft.decode import decode_modules
from service.decoding.soft.format_information import format_hypotheses

Soft = NDArray[np.float32]
Channel = Callable[[NDArray[np.bool_], float, np.random.Generator], Soft]

ERROR_RATES: dict[Level, tuple[float, ...]] = {
    "L": (0.005, 0.01, 0.02, 0.03, 0.04),
    "M": (0.01, 0.02, 0.04, 0.06, 0.08),
    "Q": (0.02, 0.04, 0.06, 0.09, 0.12),
    "H": (0.03, 0.06, 0.09, 0.12, 0.15),
}


def white(dark: NDArray[np.bool_], error_rate: float, rng: np.random.Generator) -> Soft:
    """Exact log-likelihood ratios after white noise that flips this share of the modules."""
    amplitude = -NormalDist().inv_cdf(error_rate)
    received = np.where(dark, amplitude, -amplitude) + rng.normal(size=dark.shape)
    return (2 * amplitude * received).astype(np.float32)


def fading(dark: NDArray[np.bool_], error_rate: float, rng: np.random.Generator) -> Soft:
    """The same with a Rayleigh distributed amplitude for each module, which the receiver knows.

    The mean amplitude follows from error rate = (1 - sqrt(g / (1 + g))) / 2 for the mean g of half its square
    (J. G. Proakis, Digital Communications, chapter on fading channels).
    """
    root = 1 - 2 * error_rate
    power = 2 * root**2 / (1 - root**2)
    amplitude = np.sqrt(power * rng.exponential(size=dark.shape))
    received = np.where(dark, amplitude, -amplitude) + rng.normal(size=dark.shape)
    return (2 * amplitude * received).astype(np.float32)


@dataclass
class Tally:
    """Outcomes of one decoder at one point."""

    read: int = 0
    misread: int = 0
    milliseconds: list[float] = field(default_factory=list)

    def count(self, decoder: Callable[[], bytes | None], truth: bytes | None) -> None:
        begun = time.process_time()
        payload = decoder()
        self.milliseconds.append(1e3 * (time.process_time() - begun))
        self.read += payload is not None and payload == truth
        self.misread += payload is not None and payload != truth

    def record(self) -> dict[str, Any]:
        """The data to be saved."""
        milliseconds = round(float(np.median(self.milliseconds)), 1)
        trials = len(self.milliseconds)
        return {"trials": trials, "read": self.read, "wrong": self.misread, "milliseconds": milliseconds}


def decode_hard(llr: Soft, version: int) -> bytes | None:
    """Hard decisions and errors-only Reed–Solomon; everything that decodes and parses is accepted."""
    return _decode_blocks(llr, version, erase=False)


def decode_erasing(llr: Soft, version: int) -> bytes | None:
    """Erase the least reliable codewords two at a time, and accept the first success of every block."""
    return _decode_blocks(llr, version, erase=True)


def _decode_blocks(llr: Soft, version: int, erase: bool) -> bytes | None:
    word = format_hypotheses(llr)[0]
    soft = codewords.block_reliabilities(llr, version, word.level, word.mask)
    checks = codewords.block_structure(version, word.level).checks
    hard = np.packbits(soft > 0, axis=2)[:, :, 0]
    order = acceptance.erasure_order(np.abs(soft).astype(np.float64))
    words = np.empty_like(hard)
    for block in range(len(hard)):
        numbers = np.arange(0, checks + 1, 2) if erase else np.zeros(1, dtype=np.intp)
        rank = np.empty(hard.shape[1], dtype=np.intp)
        rank[order[block]] = np.arange(len(rank))
        tries = np.repeat(hard[block : block + 1], len(numbers), axis=0)
        corrected, right = reed_solomon.correct(tries, rank[None] < numbers[:, None], checks)
        if not right.any():
            return None
        words[block] = corrected[int(right.argmax())]
    try:
        return bitstream.parse(codewords.data_stream(words, version, word.level).tobytes(), version).payload
    except BitStreamError:
        return None


def decode_soft(llr: Soft, version: int) -> bytes | None:
    """The decoder of the service."""
    found = decode_modules(llr, version)
    return None if found is None else found.payload


CHANNELS: dict[str, Channel] = {"white noise": white, "fading": fading}
DECODERS = {"hard decisions": decode_hard, "erasures, no guard": decode_erasing, "soft": decode_soft}


def empty(version: int, rng: np.random.Generator) -> Soft:
    """Soft bits without a symbol: white or coarse noise, sure or unsure; half of them have true function patterns."""
    modules = layout.size(version)
    grain = int(rng.integers(1, 5))
    llr = np.kron(rng.normal(size=(modules, modules)), np.ones((grain, grain)))[:modules, :modules]
    llr *= rng.choice([0.5, 2.0, 6.0])
    if rng.random() < 0.5:
        known, dark = layout.function_pattern(version)
        llr[known] = np.where(dark[known], 6.0, -6.0)
        word = layout.word_bits(layout.format_word(int(rng.integers(32))), layout.FORMAT_BITS)
        for positions in layout.format_positions(version):
            llr[positions[:, 0], positions[:, 1]] = np.where(word, 6.0, -6.0)
    return llr.astype(np.float32)


def measure_channel(
    name: str, versions: list[int], trials: int, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Outcomes of every decoder for each version, level and error rate on the channel `name`."""
    channel = CHANNELS[name]
    for version in versions:
        for level in LEVELS:
            for error_rate in ERROR_RATES[level]:
                tallies = {name: Tally() for name in DECODERS}
                for _ in range(trials):
                    dark, payload = filled_symbol(version, level, rng)
                    llr = channel(dark, error_rate, rng)
                    for decoder, decode in DECODERS.items():
                        tallies[decoder].count(partial(decode, llr, version), payload)
                setting = {"channel": name, "version": version, "level": level, "error_rate": error_rate}
                yield setting | {"decoders": {name: tally.record() for name, tally in tallies.items()}}


def measure_empty(trials: int, rng: np.random.Generator) -> dict[str, Any]:
    """The result of each decoder on receptions without a symbol."""
    tallies = {name: Tally() for name in DECODERS}
    for _ in range(trials):
        version = int(rng.choice([1, 1, 2, 3, 4, 5, 7, 10]))
        llr = empty(version, rng)
        for name, decoder in DECODERS.items():
            tallies[name].count(partial(decoder, llr, version), None)
    return {name: tally.record() for name, tally in tallies.items()}


def run(given: argparse.Namespace) -> None:
    """Write `reader-channel.json`."""
    trials = 10 if given.quick else given.trials
    versions = [2, 10] if given.quick else [2, 5, 10, 20]
    rng = np.random.default_rng(given.seed)
    rows = []
    for name in CHANNELS:
        for row in measure_channel(name, versions, trials, rng):
            rows.append(row)
            print(row, flush=True)
    result = {
        "command": given.typed,
        "environment": machine(),
        "rows": rows,
        "no symbol": measure_empty(50 * trials, rng),
    }
    print(result["no symbol"])
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "channel.json").write_text(json.dumps(result, indent=1) + "\n")
