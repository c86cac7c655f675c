"""Many clients at once, each with a symbol of its own: no client gets the answer to another."""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.serving.load import corpus
from benchmark.serving.load.client import Answer, Call, Judge, closed_loop, form, request
from benchmark.serving.process import serving

CLIENTS = 64


def run(*, scale: float = 1.0) -> dict[str, Any]:
    """10,000 requests: 7,000 clear symbols and 1,000 faint ones to read, 2,000 to enlarge."""
    kinds = {"clear": round(7000 * scale), "faint": round(1000 * scale), "upscale": round(2000 * scale)}
    unread: list[str] = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as service:
        tally = asyncio.run(closed_loop(service.port, _calls(kinds, unread), clients=CLIENTS))
    return {
        "clients": CLIENTS,
        "requests": tally.count,
        "kinds": kinds,
        "statuses": tally.statuses(),
        "faint_unread": len(unread),
        "wrong": len(tally.wrong),
        "complaints": tally.wrong[:10],
    }


def _calls(kinds: dict[str, int], unread: list[str]) -> Iterator[Call]:
    rng = random.Random(11)
    order = [kind for kind, count in kinds.items() for _ in range(count)]
    rng.shuffle(order)
    for number, kind in enumerate(order):
        identity = f"crossing-{number}"
        if kind == "upscale":
            upload = corpus.small(rng)
            raw = request("/upscale", form(upload.data), X_Request_ID=identity)
            yield Call(raw, _own(corpus.enlarges(upload, own_symbol=True), identity))
        else:
            upload = corpus.clear(rng) if kind == "clear" else corpus.faint(rng)
            judge = corpus.reads(upload.content)
            raw = request("/decode", form(upload.data), X_Request_ID=identity)
            yield Call(raw, _own(judge if kind == "clear" else _may_be_unread(judge, unread), identity))


def _own(judge: Judge, identity: str) -> Judge:
    def both(answer: Answer) -> str | None:
        if answer.headers.get(b"x-request-id") != identity.encode():
            return "another's request id"
        return judge(answer)

    return both


def _may_be_unread(judge: Judge, unread: list[str]) -> Judge:
    def lenient(answer: Answer) -> str | None:
        complaint = judge(answer)
        if complaint == "not read":
            unread.append(complaint)
            return None
        return complaint

    return lenient
