"""BentoML around the same pipeline.

`bentoml serve benchmark.serving.peers.bento:Reader` with `PEER_WORKERS`, `PEER_THREADS`, `PEER_DRAFTS`.
"""

import os
from pathlib import Path
from typing import Annotated

import bentoml
from bentoml.validators import ContentType

from benchmark.serving.peers.pipeline import Pipeline

WORKERS, THREADS = int(os.environ.get("PEER_WORKERS", "1")), int(os.environ.get("PEER_THREADS", "0"))
DRAFTS = os.environ.get("PEER_DRAFTS", "0") == "1"


@bentoml.service(workers=WORKERS)
class Reader:
    """Both routes on one pipeline for each worker."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(threads=THREADS, drafts=DRAFTS)

    @bentoml.api
    def decode(self, file: Path) -> dict:  # type: ignore[type-arg]
        """The symbols of an upload."""
        return self.pipeline.read(file.read_bytes())

    @bentoml.api
    def upscale(self, file: Path) -> Annotated[bytes, ContentType("image/png")]:
        """The enlarged upload as PNG."""
        return self.pipeline.upscale(file.read_bytes())
