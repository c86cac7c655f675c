"""An engine that breaks for good takes the service with it, and the exit status says so."""

import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

from service.server.main import LOST
from tests.builders.images import encode
from tests.builders.model import TINY
from tests.builders.process import serving_program

pytestmark = pytest.mark.processes


PROGRAM = """
import sys
from functools import partial

from service.server import main
from service.server.app import create_app
from service.generator.store import build_engine
from tests.builders.decoders import InProcessDecoder


class Breaking:
    draft = None

    def __init__(self, engine):
        self._engine, self._well = engine, True
        self.manifest, self.provider = engine.manifest, engine.provider

    def run(self, lr, *, logits):
        self._well = self._well and lr.max() > 0
        if not self._well:
            raise RuntimeError("the device is gone")
        return self._engine.run(lr, logits=logits)

    def healthy(self):
        return self._well


main.create_app = partial(
    create_app, engine=lambda settings: Breaking(build_engine(settings)), decoder=lambda _: InProcessDecoder()
)
sys.exit(main.main())
"""


def test_it_answers_what_it_has_and_ends(store: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM]
    settings = {"QRSR_MODEL_STORE": str(store), "QRSR_MODEL": TINY}
    with serving_program(command, tmp_path / "log", **settings) as service:
        with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as client:
            good = client.post("/upscale", files={"file": ("a", encode(np.full((16, 16), 9, np.uint8)))})
            assert good.status_code == 200
            fatal = client.post("/upscale", files={"file": ("a", encode(np.zeros((16, 16), np.uint8)))})
            assert fatal.status_code == 500
            assert fatal.json()["code"] == "internal"
        try:
            assert service.process.wait(timeout=60) == LOST
        except subprocess.TimeoutExpired:
            raise AssertionError("it went on without an engine") from None
    log = (tmp_path / "log").read_text()
    assert "failed permanently" in log
