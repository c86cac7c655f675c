"""Settings are bounded, described, and the table of docs/settings.md is what the code says."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import model_store
from service.settings import PREFIX, Settings, markdown_table, unknown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


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


def test_the_store_is_what_is_named_then_the_working_directorys_then_the_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QRSR_MODEL_STORE", raising=False)
    assert Settings().store == Path(model_store.__file__).parent
    (tmp_path / "model_store" / "qr_sr_x4").mkdir(parents=True)
    assert Settings().store == Path("model_store")
    # A name that is wrong is not passed over.
    assert Settings(model_store=Path("/somewhere")).store == Path("/somewhere")


def test_misspelt_settings_are_found() -> None:
    assert unknown({"QRSR_PROT": "1", "QRSR_PORT": "2", "qrsr_tile": "64", "HOME": "/"}) == ["QRSR_PROT"]


def test_the_table_has_a_row_for_each_setting() -> None:
    rows = markdown_table().splitlines()
    assert len(rows) == 2 + len(Settings.model_fields)
    assert "| `QRSR_DEVICE` | `auto` | `auto`, `cpu`, `cuda` |" in markdown_table()


def test_the_page_of_settings_has_this_table() -> None:
    text = PAGE.read_text()
    start, end = "<!-- settings:begin -->", "<!-- settings:end -->"
    assert start in text, f"docs/settings.md lacks {start}"
    assert end in text, f"docs/settings.md lacks {end}"
    table = text.split(start)[1].split(end)[0].strip()
    assert table == markdown_table(), "run `python -m service settings` and paste its output"
