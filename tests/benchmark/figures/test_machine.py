"""Where figures were measured is told in one line."""

import sys
from importlib import metadata

from benchmark.figures.machine import described, machine


def test_a_machine_is_described_with_its_versions() -> None:
    here = machine()
    line = described(here)
    assert f"Python {sys.version.split()[0]}; " in line
    assert f"numpy {metadata.version('numpy')}" in line
    assert f"{here['cpus']} CPUs" in line


def test_what_earlier_results_did_not_record_is_left_out() -> None:
    where = {"processor": "a chip", "system": "Linux", "python": "3.11", "versions": {"numpy": "2"}}
    assert described(where) == "a chip, Linux, Python 3.11; numpy 2"
