"""Drive the real service with mixed requests and watch its memory: `python -m tests.soak --help`.

Every answer is checked. Not part of the test suite: it takes minutes and measures time.
"""

import argparse
import base64
import io
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from tests.builders import images
from tests.builders.model import TINY, write_tiny_model
from tests.builders.process import ROOT, ServiceProcess, serving

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Case:
    """A request and the judge of its answer, who returns None or what is wrong."""

    name: str
    path: str
    data: bytes
    judge: Callable[[httpx.Response], str | None]


@dataclass
class Tally:
    seconds: list[float] = field(default_factory=list)
    by_case: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)


def _reads(content: str, tally: Tally, *, must: bool = True) -> Callable[[httpx.Response], str | None]:
    def judge(response: httpx.Response) -> str | None:
        if response.status_code != 200:
            return f"status {response.status_code}"
        payloads = [base64.b64decode(found["payload_base64"]) for found in response.json()["symbols"]]
        if not payloads:
            tally.unread["must" if must else "may"] += 1
            return "not read" if must else None
        return None if payloads == [content.encode()] else "misread"

    return judge


def _enlarges(width: int, height: int) -> Callable[[httpx.Response], str | None]:
    def judge(response: httpx.Response) -> str | None:
        if response.status_code != 200:
            return f"status {response.status_code}"
        size = Image.open(io.BytesIO(response.content)).size
        return None if size == (4 * width, 4 * height) else f"size {size}"

    return judge


def _refuses(code: str) -> Callable[[httpx.Response], str | None]:
    def judge(response: httpx.Response) -> str | None:
        return None if response.status_code < 500 and response.json().get("code") == code else response.text

    return judge


def _small_photo(content: str, rng: random.Random) -> bytes:
    """A symbol at 1.25 pixels a module with noise, as a JPEG: needs the generator, and may stay unread."""
    large = Image.fromarray(images.symbol(content, scale=8)).convert("RGB")
    side = round(large.width / 8 * 1.25)
    pixels = np.asarray(large.resize((side, side), Image.Resampling.BOX), float) * 0.7 + 30
    noise = np.random.default_rng(rng.randrange(2**31)).normal(0, 4, pixels.shape)
    return images.encode(np.clip(pixels + noise, 0, 255).astype(np.uint8), "JPEG", quality=60)


def mixed(rng: random.Random, tally: Tally) -> Case:
    """One request, drawn from what phones and their users send."""
    draw = rng.random()
    content = f"https://example.org/{rng.randrange(10**9)}"
    if draw < 0.3:
        kind = rng.choice(("PNG", "JPEG", "WEBP"))
        pixels = images.symbol(content, scale=rng.choice((3, 4, 6, 9)))
        return Case("decode clear", "/v1/decode", images.encode(pixels, kind), _reads(content, tally))
    if draw < 0.55:
        data = _small_photo(content, rng)
        return Case("decode small", "/v1/decode", data, _reads(content, tally, must=False))
    if draw < 0.8:
        width, height = rng.randrange(8, 260), rng.randrange(8, 260)
        data = images.encode(images.pattern(height, width, seed=rng.randrange(99)))
        query = rng.choice(("", "?format=jpeg", "?format=webp"))
        return Case("upscale", f"/v1/upscale{query}", data, _enlarges(width, height))
    if draw < 0.83:
        width, height = rng.randrange(500, 1000), rng.randrange(500, 1000)
        data = images.encode(images.pattern(height, width, seed=rng.randrange(99)), "JPEG")
        return Case("upscale large", "/v1/upscale?format=jpeg", data, _enlarges(width, height))
    if draw < 0.86:
        canvas = np.full((3000, 4000), 200, np.uint8)
        pixels = images.symbol(content, scale=12)
        top, left = rng.randrange(2000), rng.randrange(3000)
        canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return Case(
            "decode 12 megapixels", "/v1/decode", images.encode(canvas, "JPEG"), _reads(content, tally)
        )
    if draw < 0.92:
        data = images.encode(images.symbol(content))
        return Case("upscale and decode", "/v1/upscale?decode=true", data, _reads(content, tally))
    data, code = rng.choice(
        (
            (b"text", "unsupported_image_format"),
            (b"", "file_empty"),
            (images.png_header(50_000, 50_000), "image_too_large"),
            (images.encode(images.pattern(64, 64), "JPEG")[:-500], "damaged_image"),
            (bytes(11 * MIB), "body_too_large"),
        )
    )
    return Case("bad input", "/v1/decode", data, _refuses(code))


def _drive(service: ServiceProcess, tally: Tally, *, count: int, clients: int, seed: int) -> None:
    lock = threading.Lock()
    connections = threading.local()

    def one(index: int) -> None:
        if not hasattr(connections, "client"):
            connections.client = service.client()
        case = mixed(random.Random(seed * 1_000_003 + index), tally)
        started = time.perf_counter()
        response = connections.client.post(case.path, files={"file": ("upload", case.data)})
        seconds = time.perf_counter() - started
        complaint = case.judge(response)
        with lock:
            tally.seconds.append(seconds)
            tally.by_case[case.name] += 1
            if complaint is not None:
                tally.wrong.append(f"{case.name} {index}: {complaint}")

    with ThreadPoolExecutor(clients) as pool:
        for outcome in pool.map(one, range(seed, seed + count)):
            assert outcome is None


def _first_and_median(service: ServiceProcess) -> tuple[float, float]:
    files = {"file": ("a.png", images.encode(images.symbol("FIRST", scale=3)))}
    seconds = []
    with service.client() as client:
        for _ in range(41):
            started = time.perf_counter()
            client.post("/v1/upscale?decode=true", files=files).raise_for_status()
            seconds.append(time.perf_counter() - started)
    return seconds[0], statistics.median(seconds[1:])


def _killer(service: ServiceProcess, every: float, stop: threading.Event) -> int:
    killed = 0
    while not stop.wait(every):
        children = service.children()
        if children:
            os.kill(random.choice(children), signal.SIGKILL)
            killed += 1
    return killed


def main() -> int:
    """Run, print the tables, and return 0 when every answer was right."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--every", type=int, default=200, help="requests between two looks at the memory")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument(
        "--kill-every", type=float, default=0, help="seconds between kill -9 of a child; 0 never"
    )
    parser.add_argument(
        "--tiny", action="store_true", help="an interpolating graph in place of the generator"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"QRSR_LOG_LEVEL": "warning"}
        if options.tiny:
            write_tiny_model(Path(folder))
            (Path(folder) / "wechat_qr").symlink_to(ROOT / "model_store" / "wechat_qr")
            environment |= {"QRSR_MODEL_STORE": folder, "QRSR_MODEL": TINY}
        with serving(Path(folder) / "log", **environment) as service:
            return _run(service, options)


def _run(service: ServiceProcess, options: argparse.Namespace) -> int:
    print(f"ready after {service.ready_after:.2f} s")
    first, median = _first_and_median(service)
    print(f"first request {first * 1e3:.1f} ms, median {median * 1e3:.1f} ms: {first / median:.2f} times")
    tally, stop = Tally(), threading.Event()
    with ThreadPoolExecutor(1) as killers:
        killed = killers.submit(_killer, service, options.kill_every, stop) if options.kill_every else None
        print("| requests | RSS of all processes, MiB | of the service, MiB | seconds |")
        print("|---|---|---|---|")
        started = time.perf_counter()
        for done in range(0, options.requests, options.every):
            _row(service, done, started)
            count = min(options.every, options.requests - done)
            _drive(service, tally, count=count, clients=options.clients, seed=done)
        _row(service, options.requests, started)
        stop.set()
        if killed is not None:
            print(f"children killed: {killed.result()}")
    seconds = sorted(tally.seconds)
    slow = seconds[len(seconds) * 99 // 100]
    print(f"latency: median {statistics.median(seconds) * 1e3:.0f} ms, p99 {slow * 1e3:.0f} ms")
    print("requests:", dict(tally.by_case), "small symbols unread:", tally.unread["may"])
    with service.client() as client:
        print("decoders:", client.get("/readyz").json()["decoder"])
    print(f"wrong answers: {len(tally.wrong)}", *tally.wrong[:20], sep="\n  ")
    return 1 if tally.wrong else 0


def _row(service: ServiceProcess, done: int, started: float) -> None:
    everything = service.resident_bytes() / MIB
    alone = service.resident_of_service() / MIB
    print(f"| {done} | {everything:.0f} | {alone:.0f} | {time.perf_counter() - started:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
