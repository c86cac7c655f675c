"""The images that come into a folder, one after the other."""

import asyncio
import os
from collections.abc import AsyncGenerator

_EVERY_S = 0.5
"""How often the folder is looked at. A file is taken when it has not changed between two looks: until then somebody may
still be writing it."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif")

State = tuple[int, int]
"""Size and time of change of a file."""


async def arrivals(folder: str, *, every_s: float = _EVERY_S) -> AsyncGenerator[list[str], None]:
    """Paths of the images in a folder, those that are there first, each once and again when it has changed.

    Yields one list for each look, an empty one where nothing is new. It ends when the folder cannot be read any more.
    """
    before: dict[str, State] = {}
    taken: dict[str, State] = {}
    while True:
        try:
            now = await asyncio.to_thread(_look, folder)
        except OSError:
            return
        settled = [path for path, state in now.items() if before.get(path) == state != taken.get(path)]
        taken = {path: state for path, state in taken.items() if path in now}
        taken |= {path: now[path] for path in settled}
        before = now
        yield sorted(settled, key=lambda path: (now[path][1], path))
        await asyncio.sleep(every_s)


def _look(folder: str) -> dict[str, State]:
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.lower().endswith(_SUFFIXES) or entry.name.startswith("."):
                continue
            try:
                state = entry.stat()
            except OSError:
                # Gone already.
                continue
            if entry.is_file():
                found[entry.path] = (state.st_size, state.st_mtime_ns)
    return found
