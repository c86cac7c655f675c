"""An estimate on paper of what a number of GPUs, or none, would serve and cost. No GPU was measured.

    python -m benchmark capacity
    python -m benchmark capacity --gpu L4=30.3,300,0.71 --core-price 0.04 --reader-ms 20

docs/cost.md has the assumptions and the conclusions.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmark.comparison.graph_cost import onnx_macs
from benchmark.figures.tables import table

MODEL = Path("model_store/qr_sr_x4/2/model.onnx")
ELEMENTS_PER_PIXEL = 721
"""Elements of all activations of version 2 for each pixel of its input."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A card's published peaks and its price."""

    name: str
    tflops: float
    """Single precision, without sparsity."""
    gb_per_s: float
    price: float
    """Of an hour, in any currency."""

    @classmethod
    def of(cls, text: str) -> Self:
        """`NAME=TFLOPS,GB/S,PRICE`."""
        name, _, numbers = text.partition("=")
        tflops, gb_per_s, price = map(float, numbers.split(","))
        return cls(name, tflops, gb_per_s, price)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The assumptions of the estimate."""

    macs: int
    """Multiply-accumulates of the generator for one crop."""
    pixels: int
    """Of one crop."""
    compute: float
    """Share of the peak of computation that convolutions of 32 to 64 channels reach."""
    memory: float
    """Share of the peak of memory traffic."""
    hard: float
    """Share of crops that need the generator."""
    reader_s: float
    """Processor seconds of the readers for a crop that needs the generator, without the generator."""
    easy_s: float
    """Processor seconds of a crop that is read as it is."""
    busy: float
    """Load of the fleet, as a share of its capacity."""
    core_price: float
    """A core for an hour."""

    def gpu_seconds(self, gpu: Gpu) -> float:
        """Seconds of a GPU for one crop: the longer one of computing, and of writing and reading every activation."""
        computing = 2 * self.macs / (self.compute * gpu.tflops * 1e12)
        moving = 2 * 4 * ELEMENTS_PER_PIXEL * self.pixels / (self.memory * gpu.gb_per_s * 1e9)
        return max(computing, moving)

    def core_seconds(self, generator_s: float = 0.0) -> float:
        """Seconds of a core for one crop of the mix; `generator_s` if a core also runs the generator."""
        return self.hard * (self.reader_s + generator_s) + (1 - self.hard) * self.easy_s


def row(assumed: Assumptions, gpu: Gpu, count: int) -> tuple[float, float, float, float]:
    """Crops a second, cores needed beside the GPUs, price an hour, price of a million crops."""
    capacity = count / (assumed.hard * assumed.gpu_seconds(gpu))
    served = assumed.busy * capacity
    cores = capacity * assumed.core_seconds()
    price = count * gpu.price + cores * assumed.core_price
    return served, cores, price, price / (served * 3600) * 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--gpu",
        type=Gpu.of,
        action="append",
        metavar="NAME=TFLOPS,GB/S,PRICE",
        help="a card; default: T4, L4, A100, H100 with prices that are placeholders",
    )
    parser.add_argument("--side", type=int, default=128, help="side of the crops, in pixels")
    parser.add_argument("--compute", type=float, default=0.25, help="efficiency, share of the peak")
    parser.add_argument("--memory", type=float, default=0.5, help="efficiency, share of the peak")
    parser.add_argument("--hard", type=float, default=1.0, help="share of crops that need the generator")
    parser.add_argument(
        "--reader-ms", type=float, default=20.0, help="processor time of readers, a hard crop"
    )
    parser.add_argument("--easy-ms", type=float, default=3.0, help="processor time of an easy crop")
    parser.add_argument(
        "--generator-ms", type=float, default=36.9, help="processor time of the generator on one core"
    )
    parser.add_argument("--busy", type=float, default=0.6, help="share of the capacity that is used")
    parser.add_argument("--core-price", type=float, default=0.04, help="a core for an hour")


def run(options: argparse.Namespace) -> None:
    """Print the table."""
    assumed = Assumptions(
        macs=onnx_macs(MODEL, options.side, options.side),
        pixels=options.side**2,
        compute=options.compute,
        memory=options.memory,
        hard=options.hard,
        reader_s=options.reader_ms / 1e3,
        easy_s=options.easy_ms / 1e3,
        busy=options.busy,
        core_price=options.core_price,
    )
    gpus = options.gpu or [
        Gpu("T4", 8.1, 320, 0.35),
        Gpu("L4", 30.3, 300, 0.7),
        Gpu("A100", 19.5, 1555, 3.0),
        Gpu("H100", 67, 3350, 6.0),
    ]
    rows = []
    core = assumed.core_seconds(options.generator_ms / 1e3)
    for count in (2, 64, 1024):
        served = assumed.busy * count / core
        price = count * assumed.core_price
        million = price / (served * 3600) * 1e6
        rows.append(["no GPU", f"{served:,.0f}", f"{count:,}", f"{price:,.2f}", f"{million:.2f}"])
    for gpu in gpus:
        for count in (1, 10, 100):
            served, cores, price, million = row(assumed, gpu, count)
            name = f"{count} {gpu.name}"
            rows.append([name, f"{served:,.0f}", f"{cores:,.0f}", f"{price:,.2f}", f"{million:.2f}"])
    print(table(["", "crops/s", "cores", "price/h", "price of a million"], rows))
