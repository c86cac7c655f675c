"""The options of each command, and its exit statuses."""

from dataclasses import dataclass
from typing import Literal

EXIT_STATUS = """\
exit status of read and upscale:
  0  every file was read, or enlarged
  1  in some file there was nothing to read
  2  some file could not be used (each is named on standard error), or the command line makes no sense
  3  the generator or the readers did not come up
  4  a run with --out stopped before its end, and the same command goes on with it
"""
READ_EXAMPLES = """\
examples:
  qrsr read crop.png photos/*.jpg                    a payload a line
  qrsr read --json crop.png                          all that /decode answers
  qrsr read crops --out results.csv                  a folder, into a table for a spreadsheet
  qrsr read --list names.txt --out results.parquet   a list of files; the same command goes on where it was interrupted
  qrsr read --watch inbox --json                     each new image in a folder, until Ctrl-C
  qrsr read --url https://example.org/crop.png       an image from the web, which is fetched by this command
"""
UPSCALE_EXAMPLES = """\
examples:
  qrsr upscale crop.png crop-x4.png
  qrsr upscale - - <crop.png >crop-x4.png
  qrsr upscale crops --format webp --out enlarged    a folder, into a folder
"""
RESULTS = (".parquet", ".jsonl", ".csv")
"""What the name of a result may end with."""
READ, NOTHING, UNUSABLE, NOT_STARTED, STOPPED = 0, 1, 2, 3, 4
"""See `EXIT_STATUS`."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options of `read`."""

    files: tuple[str, ...]
    """Paths; `-` is standard input."""
    as_json: bool
    expect: str = ""
    """What the payloads may be; empty for nothing."""
    urls: tuple[str, ...] = ()
    """Addresses of images, fetched by this process."""
    watch: str | None = None
    """Folder whose new images are read until the process is ended."""


@dataclass(frozen=True, slots=True)
class UpscaleOptions:
    """Options of `upscale`."""

    source: str
    target: str
    """Paths; `-` is standard input and output."""
    format: str | None


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """Options of either command with `--out`."""

    command: Literal["read", "upscale"]
    format: Literal["png", "jpeg", "webp"] | None
    """Of enlarged images; None for `read`."""
    sources: tuple[str, ...]
    """Files and folders."""
    out: str
    """The result of `read`; the folder of `upscale`."""
    lists: tuple[str, ...]
    """Lists of files; `-` is standard input."""
    column: str | None
    match: tuple[str, ...]
    root: str
    part: int
    """Files in a part."""
    ray: str | None
    """A cluster's address; None for this process."""
    workers: int
    worker_cpus: int
    worker_gpus: float | None
    """The last three are for a cluster: see `service.ray.pool.Shape`; None follows `QRSR_DEVICE`."""
