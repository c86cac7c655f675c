"""A generator's output on held-out pictures, with the true grid of every symbol."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.upscalers import GeneratorFile
from benchmark.errors import BenchmarkError
from model_store.contract import SCALE
from scoring.cases import module_centres, picture
from scoring.families import FAMILIES
from scoring.generator import generator, session_of
from scoring.known_symbols import Simulated
from scoring.symbols import draw_symbol

VERSIONS = range(1, 11)
"""QR versions, in turn."""
_STREAM = 0x57A6E5
"""Stream of random numbers that no other part of the benchmark uses."""


@dataclass(frozen=True)
class Generated:
    """One symbol through the generator."""

    truth: Simulated
    payload: bytes
    lr: NDArray[np.uint8]
    """`(h, w)` luma that the generator was given."""
    sr: NDArray[np.uint8]
    """`(4h, 4w)` luma that readers look at."""


def generated_symbols(
    model: GeneratorFile, family: str, px_per_module: float, count: int, seed: int
) -> Iterator[Generated]:
    """`count` symbols of a family of `scoring.families`, through the generator `model`.

    Raises:
        BenchmarkError: the generator gives no logits.
    """
    upscale = generator(session_of(model.path, 1), model.multiple, model.readable)
    for number in range(count):
        drawn = [_STREAM, seed, number]
        rng = np.random.default_rng(drawn)
        symbol = draw_symbol(VERSIONS[number % len(VERSIONS)], rng)
        case = FAMILIES[family](rng)
        lr = picture(case, symbol, px_per_module, drawn)
        enlarged = upscale(lr)
        if enlarged.logits is None:
            raise BenchmarkError(f"{model.path}: it gives no logits")
        centres = SCALE * module_centres(case, symbol, px_per_module) - 0.5
        truth = Simulated(enlarged.logits, symbol.modules.astype(bool), centres)
        yield Generated(truth, symbol.payload, lr, enlarged.sr)
