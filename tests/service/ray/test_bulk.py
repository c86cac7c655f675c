"""`python -m service read ... --out ... --ray` on nodes that come and go."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmark.paths import ROOT
from benchmark.scaling import crops
from tests.builders.model import TINY
from tests.builders.ray_cluster import add_node, cluster

pytestmark = pytest.mark.processes


FILES = 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    """Where the commands run, with the files and the result of a run without a cluster."""
    folder = tmp_path_factory.mktemp("work")
    crops.write(folder / "in", FILES, hard=0.0)
    done = run(folder, store, "whole.parquet")
    assert done.returncode == 2, done.stderr
    return folder


def environment(store: Path) -> dict[str, str]:
    settings = {"QRSR_MODEL_STORE": str(store), "QRSR_MODEL": TINY, "QRSR_DEVICE": "cpu"}
    return os.environ | settings | {"PYTHONPATH": str(ROOT)}


def command(out: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "service", "read", "in", "--out", out, "--part", "4", *more]


def run(folder: Path, store: Path, out: str, *more: str) -> Any:
    return subprocess.run(
        command(out, *more), cwd=folder, env=environment(store), text=True, capture_output=True, timeout=500,
        check=False,
    )  # fmt: skip


def until(true: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def test_a_node_is_killed_in_the_middle_and_another_one_comes(folder: Path, store: Path) -> None:
    with cluster(0, 1, 1) as nodes:
        arguments = command("lost.parquet", "--ray", nodes.address, "--worker-cpus", "1")
        parts = folder / "lost.parquet.parts"
        with subprocess.Popen(
            arguments, cwd=folder, env=environment(store), stderr=subprocess.PIPE, text=True
        ) as process:
            until(lambda: len(list(parts.glob("part-*"))) >= 3, process)
            victim = nodes.worker_nodes.copy().pop()
            nodes.remove_node(victim, allow_graceful=False)
            at_death = len(list(parts.glob("part-*")))
            until(lambda: len(list(parts.glob("part-*"))) >= at_death + 3 or not parts.exists(), process)
            if process.poll() is None:
                add_node(nodes, cpus=1)
            _, said = process.communicate(timeout=300)
    assert at_death < FILES / 4, "it was finished before the node was killed"
    assert process.returncode == 2, said
    assert (folder / "lost.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()
    assert pq.read_metadata(folder / "lost.parquet").num_rows == FILES


def test_a_run_without_a_cluster_goes_on_on_one(folder: Path, store: Path) -> None:
    parts = folder / "moved.parquet.parts"
    with subprocess.Popen(
        command("moved.parquet"), cwd=folder, env=environment(store), stderr=subprocess.DEVNULL, text=True
    ) as process:
        until(lambda: len(list(parts.glob("part-*"))) >= 3, process)
        process.kill()
    with cluster(0, 2) as nodes:
        done = run(folder, store, "moved.parquet", "--ray", nodes.address, "--worker-cpus", "1")
        assert done.returncode == 2, done.stderr
        assert (folder / "moved.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()
        no_room = run(folder, store, "no.parquet", "--ray", nodes.address, "--worker-cpus", "9")
        assert (no_room.returncode, no_room.stderr.count("\n")) == (4, 2)
        assert "no node has 9 CPUs" in no_room.stderr


def test_where_there_is_no_cluster_it_says_so(folder: Path, store: Path) -> None:
    done = run(folder, store, "nowhere.parquet", "--ray", "127.0.0.1:1")
    assert done.returncode == 4
    assert "no Ray cluster at 127.0.0.1:1" in done.stderr
