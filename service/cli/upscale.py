"""`python -m service upscale`: one image file, four times as wide and high."""

import sys
from pathlib import Path
from typing import Final

from service import files
from service.cli.command import complain, load, with_services
from service.cli.options import READ, UNUSABLE, UpscaleOptions
from service.errors import ServiceError
from service.files import FileError
from service.imaging import Format
from service.pipeline.answers import UpscaleQuery
from service.pipeline.read_and_enlarge import enlarge
from service.pipeline.runtime import Services, Task

_BY_SUFFIX: Final[dict[str, Format]] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
}


def run(options: UpscaleOptions) -> int:
    """Write the enlarged image; an existing file is replaced atomically. Returns the exit status."""
    suffix = Path(options.target).suffix.lower()
    if options.format is None and options.target != "-" and suffix not in _BY_SUFFIX:
        complain(f"{options.target}: name it .png, .jpg or .webp, or give --format")
        return UNUSABLE
    query = UpscaleQuery.model_validate({"format": options.format or _BY_SUFFIX.get(suffix, "png")})

    async def work(services: Services) -> int:
        try:
            data = await services.in_thread(load, options.source, services.settings)
            enlarged = await enlarge(Task.of(services, data), query)
        except (FileError, ServiceError) as error:
            complain(f"{options.source}: {error.detail}")
            return UNUSABLE
        try:
            await services.in_thread(_write, options.target, enlarged.data)
        except OSError as error:
            complain(f"{options.target}: {error.strerror or error}")
            return UNUSABLE
        return READ

    return with_services(work)


def _write(target: str, data: bytes) -> None:
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        files.save(Path(target), data)
