"""The fingerprint changes with what decides a reading, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from benchmark.protocols.reading_code import DECODING, MODULES, fingerprint


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DECODING, tmp_path / "decoding"))


def test_every_module_outside_the_processes_counts() -> None:
    there = {str(path.relative_to(DECODING).with_suffix("")) for path in DECODING.rglob("*.py")}
    assert there - set(MODULES) == {
        name for name in there if name.startswith("processes/") or name == "__init__"
    }
    assert set(MODULES) <= there


def test_words_and_processes_do_not_count(copy: Path) -> None:
    cascade = copy / "cascade.py"
    source = cascade.read_text()
    moved = source.replace("service.decoding.processes.errors", "service.decoding.processes.elsewhere")
    assert moved != source
    cascade.write_text(moved.replace('"""', '"""Other words. ', 1) + "\n# A remark.\n")
    (copy / "processes" / "worker.py").write_text("anything = 1\n")
    assert fingerprint(copy) == fingerprint()


@pytest.mark.parametrize("module", ["cascade", "soft/acceptance"])
def test_a_changed_constant_counts(copy: Path, module: str) -> None:
    path = copy / f"{module}.py"
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    assert fingerprint(copy) != fingerprint()
