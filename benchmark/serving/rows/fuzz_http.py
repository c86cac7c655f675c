"""Spoilt uploads to the real service over HTTP: never a 5xx, a crash, or a growth that stays.

An answer must be a problem with a documented code, or have the right form. A request that violates this is written to
`build/load/findings`, so that it can be sent again.
"""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.paths import ROOT
from benchmark.serving.load import mutations
from benchmark.serving.load.client import Answer, Call, Judge, closed_loop
from benchmark.serving.process import serving
from benchmark.serving.rows.leak import sample
from service.errors import STATUS

COUNT = 50_000
CLIENTS = 8
LONGEST_S = 1800.0
"""Time after which the run ends with its results so far; the verdict then covers fewer requests."""
FINDINGS = ROOT / "build" / "load" / "findings"
_BLOCK = 2_500


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """50,000 requests; memory is measured between blocks of 2,500."""
    codes: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    blocks = max(round(COUNT * scale / _BLOCK), 1)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        end = time.monotonic() + LONGEST_S
        samples = []
        for block in range(blocks):
            if time.monotonic() > end:
                break
            count = min(_BLOCK, round(COUNT * scale))
            tally = asyncio.run(
                closed_loop(service.port, _calls(block, count, codes), clients=CLIENTS),
            )
            statuses.update(tally.statuses())
            wrong += tally.wrong
            samples.append(sample(service, (block + 1) * count))
            print(samples[-1], tally.statuses(), tally.wrong[:3], flush=True)
        with service.client() as client:
            state = client.get("/readyz").json()
        log = service.log.read_text()
    return {
        "requests": sum(statuses.values()),
        "statuses": dict(sorted(statuses.items())),
        "codes": dict(codes.most_common()),
        "wrong_count": len(wrong),
        "wrong": wrong[:10],
        "tracebacks_logged": log.count("Traceback"),
        "samples": samples,
        "ready": state["ready"],
        "decoder": state["decoder"],
    }


def _calls(seed: int, count: int, codes: Counter[str]) -> Iterator[Call]:
    rng = random.Random(seed)
    for number in range(count):
        raw = mutations.spoilt_request(rng)
        yield Call(raw, _judge(raw, f"{seed}-{number}", codes))


def _judge(raw: bytes, name: str, codes: Counter[str]) -> Judge:
    def judge(answer: Answer) -> str | None:
        complaint = _complaint(answer, codes)
        if complaint is not None:
            FINDINGS.mkdir(parents=True, exist_ok=True)
            (FINDINGS / name).write_bytes(raw)
        return None if complaint is None else f"{name}: {complaint}"

    return judge


def _complaint(answer: Answer, codes: Counter[str]) -> str | None:
    if answer.status == 0:
        return "no answer"
    if answer.status == 200:
        codes["answered"] += 1
        return None if answer.body else "an empty answer"
    if answer.status == 307:
        # A path with one slash too many.
        codes["redirected"] += 1
        return None if answer.headers[b"location"].startswith(b"http://localhost/") else "sent elsewhere"
    if answer.headers.get(b"content-type") != b"application/problem+json":
        return f"status {answer.status} is no problem document"
    code = json.loads(answer.body)["code"]
    codes[code] += 1
    if STATUS.get(code) != answer.status:
        return f"status {answer.status} with code {code}"
    return f"status {answer.status}: {code}" if answer.status >= 500 else None
