"""Settings are bounded, described, and the README's table is what the code says."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import PREFIX, Settings, markdown_table, unknown

README = Path(__file__).resolve().parents[2] / "README.md"


def test_every_setting_is_described_and_bounded() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        if field.annotation in (int, float):
            bounds = {
                rule for entry in field.metadata for rule in ("ge", "gt", "le", "lt") if hasattr(entry, rule)
            }
            assert bounds & {"ge", "gt"}, name
            assert bounds & {"le", "lt"}, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("DEVICE", "tpu"),
        ("DEADLINE_S", "0"),
        ("QUEUE", "-1"),
        ("MODEL", "../x"),
        ("TILE", "big"),
    ],
)
def test_values_out_of_bounds_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QRSR_PORT", "1234")
    monkeypatch.setenv("QRSR_MODEL_STORE", "/somewhere")
    settings = Settings()
    assert settings.port == 1234
    assert settings.model_store == Path("/somewhere")


def test_misspelt_settings_are_found() -> None:
    assert unknown({"QRSR_PROT": "1", "QRSR_PORT": "2", "qrsr_tile": "64", "HOME": "/"}) == ["QRSR_PROT"]


def test_the_table_has_a_row_for_each_setting() -> None:
    rows = markdown_table().splitlines()
    assert len(rows) == 2 + len(Settings.model_fields)
    assert "| `QRSR_DEVICE` | `auto` | `auto`, `cpu`, `cuda` |" in markdown_table()


def test_the_readme_has_this_table() -> None:
    if not README.is_file():
        pytest.skip("no README yet")
    text = README.read_text()
    start, end = "<!-- settings:begin -->", "<!-- settings:end -->"
    assert start in text, f"README.md lacks {start}"
    assert end in text, f"README.md lacks {end}"
    table = text.split(start)[1].split(end)[0].strip()
    assert table == markdown_table(), "run `python -m service settings` and paste its output"
