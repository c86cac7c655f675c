"""The answers that the README shows, from the service's own pipeline, between two marks."""

import asyncio
import json
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.paths import ROOT, STORE
from benchmark.readme.sample_crops import CROPS
from service.pipeline.answers import DecodeAnswer
from service.pipeline.read_and_enlarge import read
from service.pipeline.runtime import Task, opened
from service.settings import Settings

BEGIN, END = "<!-- answers:begin -->", "<!-- answers:end -->"
SHOWN = ("text", "payload_base64", "encoding", "points", "reader", "attempt")
"""Fields of a symbol that are shown."""
ENLARGED = """    curl -s -F file=@docs/samples/label.png -o label-x4.png localhost:8000/upscale
    curl -s -F file=@docs/samples/label.png 'localhost:8000/upscale/decode?format=webp'
"""


def fill(readme: Path) -> None:
    """Put commands and answers for the README's crops between its marks.

    Raises:
        BenchmarkError: the README has no such marks.
    """
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise BenchmarkError(f"{readme} lacks {BEGIN} or {END}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [
        f"    curl -s -F file=@docs/samples/{name}.png localhost:8000/decode\n    {answer}\n"
        for name, answer in asyncio.run(_answers())
    ]
    readme.write_text(before + BEGIN + "\n" + "\n".join([*lines, ENLARGED]) + END + after, encoding="utf-8")


async def _answers() -> list[tuple[str, str]]:
    # With drafts, as on a CPU of these years, whatever this one is.
    settings = Settings(model_store=STORE, device="cpu", drafts="on")
    async with opened(settings) as services:
        found = []
        for crop in CROPS:
            if crop.documented:
                data = (ROOT / "docs" / "samples" / f"{crop.name}.png").read_bytes()
                answer = await read(Task.of(services, data))
                found.append((crop.name, _short(answer)))
        return found


def _short(answer: DecodeAnswer) -> str:
    whole = answer.model_dump(mode="json")
    symbols = [{name: symbol[name] for name in SHOWN} for symbol in whole["symbols"]]
    for symbol in symbols:
        symbol["points"] = [[round(x, 1), round(y, 1)] for x, y in symbol["points"]]
    rest = {name: whole[name] for name in ("image", "upscaled", "complete")}
    return json.dumps({"symbols": symbols} | rest, separators=(",", ":"), ensure_ascii=False)
