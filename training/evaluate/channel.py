"""Decoding measured apart from geometry: read and misread rates against the quality of simulated modules.

    python -m training.evaluate.channel [--quick] [--trials N] [--seed N] [--misreads N] [--limit P]

Symbols by segno, filled to nine tenths with random text, pass one of two channels of known reliability at a
given module error rate: white noise of constant strength, and white noise under Rayleigh fading, where the
wrong modules are the unsure ones as in a generator's output. Each reception is decoded by hard decisions
alone (what readers usually do: the nearest format word, bounded-distance Reed–Solomon), by codeword erasures
that take the first success (no guard), and by `service.decoding.soft.decode`; times are medians of processor
time. A last table decodes receptions that hold no symbol.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import NormalDist

import numpy as np
import segno
from numpy.typing import NDArray

from service.decoding.soft import acceptance, bitstream, codewords, reed_solomon
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.characters import BitStreamError
from service.decoding.soft.codewords import LEVELS, Level
from service.decoding.soft.decode import decode_modules
from service.decoding.soft.format_information import format_hypotheses

Soft = NDArray[np.float32]
Channel = Callable[[NDArray[np.bool_], float, np.random.Generator], Soft]

_ALPHABET = np.frombuffer(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#", dtype=np.uint8
)
_ERROR_RATES: dict[Level, tuple[float, ...]] = {
    "L": (0.005, 0.01, 0.02, 0.03, 0.04),
    "M": (0.01, 0.02, 0.04, 0.06, 0.08),
    "Q": (0.02, 0.04, 0.06, 0.09, 0.12),
    "H": (0.03, 0.06, 0.09, 0.12, 0.15),
}


def white(dark: NDArray[np.bool_], error_rate: float, rng: np.random.Generator) -> Soft:
    """Exact log-likelihood ratios after white noise that turns this share of the modules."""
    amplitude = -NormalDist().inv_cdf(error_rate)
    received = np.where(dark, amplitude, -amplitude) + rng.normal(size=dark.shape)
    return (2 * amplitude * received).astype(np.float32)


def fading(dark: NDArray[np.bool_], error_rate: float, rng: np.random.Generator) -> Soft:
    """The same with an amplitude, known to the receiver, of each module's own: Rayleigh distributed.

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

    def row(self) -> str:
        trials = len(self.milliseconds)
        wrong = f" ({self.misread} wrong)" if self.misread else ""
        return f"{self.read / trials:.2f}{wrong}, {np.median(self.milliseconds):.0f} ms"


def decode_hard(llr: Soft, version: int) -> bytes | None:
    """Hard decisions and errors-only Reed–Solomon; what decodes and parses is believed."""
    return _decode_blocks(llr, version, erase=False)


def decode_erasing(llr: Soft, version: int) -> bytes | None:
    """Erases the least reliable codewords two at a time and believes the first success of every block."""
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


DECODERS = {"hard decisions": decode_hard, "erasures, no guard": decode_erasing, "soft": decode_soft}


def symbol(
    version: int, level: Level, rng: np.random.Generator, filled: float = 0.9, mask: int | None = None
) -> tuple[NDArray[np.bool_], bytes]:
    """Modules and payload of a symbol filled to this share; pads make up the rest.

    Without a `mask` segno looks for the best one, which takes most of its time.
    """
    size = int(filled * codewords.block_structure(version, level).data_codewords) - 3
    payload = rng.choice(_ALPHABET, max(size, 1)).tobytes()
    code = segno.make(
        payload, version=version, error=level.lower(), mode="byte", mask=mask, boost_error=False, micro=False
    )
    return np.array([list(row) for row in code.matrix], dtype=bool), payload


def empty(version: int, rng: np.random.Generator) -> Soft:
    """Soft bits of no symbol: white or coarse noise, sure or unsure, half of it under true function patterns."""
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


def measure_channel(channel: Channel, versions: list[int], trials: int, rng: np.random.Generator) -> None:
    """Prints one line per version, level and error rate."""
    print("| version, level | module error rate | " + " | ".join(DECODERS) + " |\n" + "|---" * 5 + "|")
    for version in versions:
        for level in LEVELS:
            for error_rate in _ERROR_RATES[level]:
                tallies = {name: Tally() for name in DECODERS}
                for _ in range(trials):
                    dark, payload = symbol(version, level, rng)
                    llr = channel(dark, error_rate, rng)
                    for name, decoder in DECODERS.items():
                        tallies[name].count(partial(decoder, llr, version), payload)
                rows = " | ".join(tally.row() for tally in tallies.values())
                print(f"| {version}-{level} | {error_rate:.3f} | {rows} |", flush=True)


def measure_empty(trials: int, rng: np.random.Generator) -> None:
    """Prints how many receptions without a symbol each decoder reads."""
    tallies = {name: Tally() for name in DECODERS}
    for _ in range(trials):
        version = int(rng.choice([1, 1, 2, 3, 4, 5, 7, 10]))
        llr = empty(version, rng)
        for name, decoder in DECODERS.items():
            tallies[name].count(partial(decoder, llr, version), None)
    for name, tally in tallies.items():
        print(f"{name}: {tally.misread} of {trials} read, {np.median(tally.milliseconds):.0f} ms")


def beyond(rng: np.random.Generator) -> tuple[Soft, int, bytes]:
    """A small symbol about where reading ends: soft bits of any scale, its version and payload.

    Half of them are damaged besides by a square of sure bits that have nothing to do with the symbol.
    """
    version, level = int(rng.choice([1, 1, 1, 2, 3, 5])), LEVELS[int(rng.integers(4))]
    dark, payload = symbol(version, level, rng, rng.uniform(0.2, 1.0))
    worst = _ERROR_RATES[level][-1]
    channel = (white, fading)[int(rng.integers(2))]
    llr = channel(dark, rng.uniform(0.4 * worst, 1.6 * worst), rng) * np.float32(rng.choice([0.3, 1.0, 3.0]))
    if rng.random() < 0.5:
        side = int(rng.integers(2, 8))
        row, column = rng.integers(0, len(dark) - side, 2)
        square = rng.choice([-6.0, 6.0], size=(side, side))
        llr[row : row + side, column : column + side] = square
    return llr, version, payload


def measure_misreads(trials: int, limit: float, rng: np.random.Generator) -> None:
    """Prints what is read of `trials` receptions, half empty and half hardly readable, by the bound it came with."""
    nothing = 0
    edges = [-np.inf, -12.0, -8.0, -6.0, -4.0, -2.0, 0.1]
    bounds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(trials // 2):
        version = int(rng.choice([1, 1, 2, 3, 4, 5, 7, 10]))
        nothing += decode_modules(empty(version, rng), version, limit=limit) is not None
        llr, version, payload = beyond(rng)
        found = decode_modules(llr, version, limit=limit)
        if found is not None:
            bounds[found.payload == payload].append(found.log10_misread_bound)
    right, wrong = len(bounds[True]), len(bounds[False])
    print(f"no symbol: {nothing} of {trials // 2} read")
    print(f"near the wall: {right + wrong} of {trials // 2} read, {wrong} wrongly")
    for low, high, good, bad in zip(
        edges, edges[1:], *(np.histogram(bounds[key], edges)[0] for key in (True, False)), strict=False
    ):
        print(f"  misread bound 1e{low:.0f} to 1e{high:.0f}: {good} right, {bad} wrong")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--quick", action="store_true", help="a few minutes: two versions, ten trials a point"
    )
    parser.add_argument("--trials", type=int, default=100, help="receptions a point (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misreads", type=int, metavar="N", help="only look for misreads, in N receptions")
    parser.add_argument(
        "--limit", type=float, default=acceptance.DEFAULT_LIMIT, help="misread bound accepted"
    )
    options = parser.parse_args()
    if options.misreads:
        measure_misreads(options.misreads, options.limit, np.random.default_rng(options.seed))
        return
    trials = 10 if options.quick else options.trials
    versions = [2, 10] if options.quick else [2, 5, 10, 20]
    rng = np.random.default_rng(options.seed)
    for title, channel in (("White noise", white), ("Fading: the wrong modules are the unsure ones", fading)):
        print(f"\n{title}, {trials} receptions a point\n")
        measure_channel(channel, versions, trials, rng)
    print("\nNo symbol\n")
    measure_empty(100 * trials, rng)


if __name__ == "__main__":
    main()
