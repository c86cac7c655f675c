"""The answers that the README shows, from the service's own pipeline, between two marks."""

import asyncio
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.paths import ROOT, STORE
from benchmark.readme.sample_crops import CROPS
from service.pipeline.read_and_enlarge import read
from service.pipeline.runtime import Task, opened
from service.settings import Settings

BEGIN, END = "<!-- answers:begin -->", "<!-- answers:end -->"
LEFT_OUT = {"attempts", "timings_ms", "model"}
"""Fields that tell how it was read, and take more room than what was."""


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
    readme.write_text(before + BEGIN + "\n" + "\n".join(lines) + END + after, encoding="utf-8")


async def _answers() -> list[tuple[str, str]]:
    # With drafts, as on a CPU of these years, whatever this one is.
    settings = Settings(model_store=STORE, device="cpu", drafts="on")
    async with opened(settings) as services:
        found = []
        for crop in CROPS:
            if crop.documented:
                data = (ROOT / "docs" / "samples" / f"{crop.name}.png").read_bytes()
                answer = await read(Task.of(services, data))
                found.append((crop.name, answer.model_dump_json(exclude=LEFT_OUT)))
        return found
