"""20,000 mixed requests: memory stays flat, and no file descriptor or process is left."""

import asyncio
import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.serving import images
from benchmark.serving.load import corpus
from benchmark.serving.load.client import Answer, Call, Connection, Judge, closed_loop, form, request
from benchmark.serving.process import ServiceProcess, serving

CLIENTS = 8
LONGEST_S = 1800.0
"""Time after which the run ends with its results so far; the verdict then covers fewer requests."""
_SETTLED_S = 30.0
_EVERY = 1000
_MIB = 2**20
_QUERIES = ("", "?format=jpeg", "?format=webp", "?decode=true")


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """A sample after every 1,000 requests, when no request is in progress."""
    turns = calls(random.Random(5))
    wrong: list[str] = []
    statuses: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        end = time.monotonic() + LONGEST_S
        samples = [sample(service, 0)]
        for block in range(1, max(round(20 * scale), 3) + 1):
            if time.monotonic() > end:
                break
            tally = asyncio.run(_block(service.port, list(itertools.islice(turns, _EVERY))))
            wrong += tally.wrong
            for status, count in tally.statuses().items():
                statuses[status] = statuses.get(status, 0) + count
            _settle(service, samples[0]["children"])
            samples.append(sample(service, block * _EVERY))
            print(samples[-1], tally.wrong[:3], flush=True)
        with service.client() as client:
            decoder = client.get("/readyz").json()["decoder"]
    settled = samples[1:]
    counts = [one["requests"] for one in settled]
    return {
        "samples": samples,
        "statuses": statuses,
        "wrong": wrong[:10],
        "wrong_count": len(wrong),
        "service_mib_per_1000": 1000 * slope(counts, [one["service_mib"] for one in settled]),
        "all_mib_per_1000": 1000 * slope(counts, [one["all_mib"] for one in settled]),
        "decoder": decoder,
    }


def calls(rng: random.Random) -> Iterator[Call]:
    """A mix of requests as from phones, with the judges of the answers."""
    ready = [*_decodes("clear", 56), *_decodes("faint", 8)]
    bad = list(_bad())
    large = list(_large())
    while True:
        draw = rng.random()
        if draw < 0.62:
            yield rng.choice(ready)
        elif draw < 0.82:
            width, height = rng.randrange(8, 110), rng.randrange(8, 110)
            data = images.encode(images.pattern(height, width, seed=rng.randrange(99)))
            upload = corpus.Upload(data, "", width, height)
            query = rng.choice(_QUERIES)
            judge = corpus.accepted if "decode" in query else corpus.enlarges(upload)
            yield Call(request(f"/v1/upscale{query}", form(data)), judge)
        elif draw < 0.825:
            yield rng.choice(large)
        else:
            yield rng.choice(bad)


def _decodes(kind: str, count: int) -> Iterator[Call]:
    for upload in corpus.uploads(kind, count):
        yield Call(request("/v1/decode", form(upload.data)), corpus.reads(upload.content))


def _large() -> Iterator[Call]:
    for side in (300, 500):
        data = images.encode(images.pattern(side, side + 50), "JPEG")
        upload = corpus.Upload(data, "", side + 50, side)
        yield Call(request("/v1/upscale?format=jpeg", form(data)), corpus.enlarges(upload))
    canvas = np.full((3000, 4000), 200, np.uint8)
    pixels = images.symbol("https://example.org/twelve", scale=12)
    canvas[700 : 700 + pixels.shape[0], 900 : 900 + pixels.shape[1]] = pixels
    yield Call(
        request("/v1/decode", form(images.encode(canvas, "JPEG"))), corpus.reads("https://example.org/twelve")
    )


def _bad() -> Iterator[Call]:
    cases = (
        (b"text", "unsupported_image_format"),
        (b"", "file_empty"),
        (images.png_header(50_000, 50_000), "image_too_large"),
        (images.encode(images.pattern(64, 64), "JPEG")[:-500], "damaged_image"),
        (images.encode(images.pattern(4, 4)), "image_too_small"),
    )
    for data, code in cases:
        yield Call(request("/v1/decode", form(data)), _refuses(code))
    yield Call(request("/v1/decode", b"not a form at all"), _refuses("malformed_multipart"))
    yield Call(request("/v1/decode?size=3", form(cases[0][0])), _refuses("invalid_query"))


def _refuses(code: str) -> Judge:
    def judge(answer: Answer) -> str | None:
        found = f'"code":"{code}"'.encode() in answer.body.replace(b" ", b"")
        return None if 400 <= answer.status < 500 and found else f"status {answer.status} for {code}"

    return judge


async def _block(port: int, block: list[Call]) -> Any:
    """The calls, and clients that leave in the middle of a request or of an answer."""
    leaving = asyncio.create_task(_leavers(port, len(block) // 20))
    tally = await closed_loop(port, iter(block), clients=CLIENTS)
    await leaving
    return tally


async def _leavers(port: int, count: int) -> None:
    call = corpus.decode_calls("faint", 16)[0]
    for number in range(count):
        connection = await Connection.to(port)
        raw = call.raw if number % 2 else call.raw[: len(call.raw) // 2]
        sending = asyncio.create_task(connection.send(raw))
        await asyncio.sleep(0.01)
        connection.close()
        await sending


def _settle(service: ServiceProcess, children: int) -> None:
    """Wait while a child is being replaced and its successor runs already: one child too many is no leak unless it
    stays."""
    end = time.monotonic() + _SETTLED_S
    while len(service.children()) > children and time.monotonic() < end:
        time.sleep(0.1)


def sample(service: ServiceProcess, requests: int) -> dict[str, Any]:
    """The resources of the service after so many requests."""
    return {
        "requests": requests,
        "service_mib": service.resident_of_service() / _MIB,
        "all_mib": service.resident_bytes() / _MIB,
        "descriptors": len(os.listdir(f"/proc/{service.process.pid}/fd")),
        "threads": len(os.listdir(f"/proc/{service.process.pid}/task")),
        "children": len(service.children()),
    }


def slope(xs: list[int], ys: list[float]) -> float:
    """The Theil–Sen slope: the median over all pairs, which is robust against outliers."""
    pairs = itertools.combinations(zip(xs, ys, strict=True), 2)
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs)
