"""What pyproject.toml puts into the wheel."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import qrsr
import service
from model_store.versions import newest
from tests.builders.process import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == service.VERSION == qrsr.__version__


def test_the_wheel_holds_what_runs_and_nothing_else() -> None:
    patterns = SETUPTOOLS["packages"]["find"]["include"]
    tops = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    taken = {name for name in tops if any(fnmatch(name, pattern) for pattern in patterns)}
    assert taken == {"qrsr", "service", "model_store"}
    assert tops >= {"training", "benchmark", "scoring"}


def test_the_wheel_holds_the_newest_version_of_the_served_generator_whole() -> None:
    folder = newest(ROOT / "model_store", "qr_sr_x4")
    assert folder is not None
    (pattern,) = [p for p in SETUPTOOLS["package-data"]["model_store"] if p.startswith("qr_sr_x4/")]
    held = {path for path in (ROOT / "model_store").glob(pattern) if path.is_file()}
    assert held == {path for path in folder.rglob("*") if path.is_file()}


def test_no_fetched_file_gets_into_the_wheel() -> None:
    patterns = SETUPTOOLS["package-data"]["model_store"]
    held = [
        path.name
        for pattern in patterns
        if pattern.startswith("wechat_qr")
        for path in (ROOT / "model_store").glob(pattern)
    ]
    assert held == ["manifest.json"]


@pytest.mark.parametrize("package", ["qrsr", "service", "model_store"])
def test_type_checkers_are_told_that_the_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert "py.typed" in SETUPTOOLS["package-data"][package]


def test_the_client_alone_pulls_in_httpx_alone() -> None:
    assert [line.partition(">")[0] for line in PROJECT["dependencies"]] == ["httpx"]


def test_every_public_name_is_there() -> None:
    for name in qrsr.__all__:
        assert getattr(qrsr, name) is not None


def test_the_console_command_leads_to_the_command_line() -> None:
    module, _, function = PROJECT["scripts"]["qrsr"].partition(":")
    assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file()
    assert function == "main"
