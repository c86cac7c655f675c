"""The fingerprint changes with what decides a reading, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from benchmark.protocols.reading_code import DECODING, NOT_READING, fingerprint, modules


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DECODING, tmp_path / "decoding"))


def test_what_reads_counts_and_what_carries_does_not() -> None:
    counted = modules()
    assert {"cascade", "jobs", "wechat", "zxing", "soft/decode", "soft/acceptance"} <= set(counted)
    assert not [name for name in counted if name.startswith("processes/")]
    # What is left out is there: a name that was changed would else leave out nothing.
    there = {path.stem for path in DECODING.iterdir()}
    assert set(NOT_READING) <= there


@pytest.mark.slow
def test_words_and_processes_do_not_count(copy: Path) -> None:
    cascade = copy / "cascade.py"
    source = cascade.read_text()
    moved = source.replace("service.decoding.processes.errors", "service.decoding.processes.elsewhere")
    assert moved != source
    cascade.write_text(moved.replace('"""', '"""Other words. ', 1) + "\n# A remark.\n")
    (copy / "processes" / "worker.py").write_text("anything = 1\n")
    assert fingerprint(copy) == fingerprint()


@pytest.mark.slow
@pytest.mark.parametrize("module", ["cascade", "soft/acceptance"])
def test_a_changed_constant_counts(copy: Path, module: str) -> None:
    path = copy / f"{module}.py"
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    assert fingerprint(copy) != fingerprint()


@pytest.mark.slow
def test_a_module_that_is_new_counts(copy: Path) -> None:
    (copy / "another.py").write_text("anything = 1\n")
    assert fingerprint(copy) != fingerprint()
