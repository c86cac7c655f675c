"""Many small files at once that decode to 16 megapixels: memory stays bounded."""

import asyncio
import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.serving import images
from benchmark.serving.load import corpus
from benchmark.serving.load.client import Call, closed_loop, form, request
from benchmark.serving.process import ServiceProcess, serving
from service.settings import Settings

SIDE = 4000
CLIENTS = 24
_MIB = 2**20


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """24 clients with one such file each, then one ordinary request."""
    clients = max(round(CLIENTS * scale), 4)
    data = images.encode(np.full((SIDE, SIDE), 255, np.uint8), "PNG", compress_level=9)
    bomb = Call(request("/decode", form(data)), lambda _: None)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        before = service.resident_of_service() / _MIB
        tally, peak, peak_of_all = asyncio.run(_watched(service, bomb, clients))
        after = asyncio.run(closed_loop(service.port, iter(corpus.decode_calls("mix", 8)), clients=1))
    return {
        "clients": clients,
        "bytes_each": len(data),
        "megapixels_each": SIDE * SIDE / 1e6,
        "budget_megapixels": Settings().pixel_budget / 1e6,
        "statuses": tally.statuses(),
        "service_mib_before": before,
        "service_mib_peak": peak,
        "all_mib_peak": peak_of_all,
        "wrong_afterwards": after.wrong,
    }


async def _watched(service: ServiceProcess, bomb: Call, clients: int) -> tuple[Any, float, float]:
    peak = peak_of_all = 0.0
    loading = asyncio.create_task(closed_loop(service.port, itertools.repeat(bomb, clients), clients=clients))
    while not loading.done():
        peak = max(peak, service.resident_of_service() / _MIB)
        peak_of_all = max(peak_of_all, service.resident_bytes() / _MIB)
        await asyncio.sleep(0.05)
    return await loading, peak, peak_of_all
