"""Worker processes of the data stream: they change nothing about the data, and never outlive the trainer."""

import os
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
import torch

from training.config import TrainingConfig, parse
from training.data.stream import batches

pytestmark = pytest.mark.processes


_DYING_TRAINER = """
import multiprocessing, os, sys, torch
from pathlib import Path
from tests.training.test_stream_workers import small
from training.data.stream import batches

if __name__ == "__main__":
    stream = batches(small(1), 0, torch.device("cpu"), Path(sys.argv[1]))
    next(stream)
    print(multiprocessing.active_children()[0].pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def small(workers: int) -> TrainingConfig:
    """A stream that starts quickly."""
    data = {"lr_size": 32, "chunk": 4, "pool": 2, "replay": 2, "workers": workers, "textures": 2}
    return parse(
        {"data": data | {"symbols": {"count": 8, "versions": [1, 2]}}, "optimiser": {"batch": 4}}, "test"
    )


def test_workers_make_the_same_batches(tmp_path: Path) -> None:
    device = torch.device("cpu")
    inline = list(islice(batches(small(0), 1, device, tmp_path), 5))
    worked = batches(small(2), 1, device, tmp_path)
    for expected in inline:
        batch = next(worked)
        assert torch.equal(batch.lr, expected.lr)
        assert torch.equal(batch.pixel_to_module, expected.pixel_to_module)
    worked.close()  # type: ignore[attr-defined]


def test_workers_end_with_a_trainer_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(_DYING_TRAINER)
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    trainer = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        timeout=100,
    )
    worker = Path(f"/proc/{int(trainer.stdout)}")
    until = time.monotonic() + 30
    while worker.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not worker.exists()
