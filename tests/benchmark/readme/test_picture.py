"""The README's first picture shows what is so."""

from pathlib import Path

import pytest

from benchmark.comparison.options import chosen_upscalers, newest_generator
from benchmark.comparison.readers import SOFT, ReaderUnavailableError, wechat_files
from benchmark.comparison.workbench import Setup, Workbench
from benchmark.paths import ROOT, STORE
from benchmark.readme.picture import DOCUMENTED, SHOWN, draw, panels, wechat_enlarged
from benchmark.readme.sample_crops import CROPS
from service.decoding.wechat import WeChatFiles


@pytest.fixture(scope="module")
def files() -> WeChatFiles:
    try:
        return wechat_files(STORE / "wechat_qr" / "1")
    except ReaderUnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_only_ours_is_read(name: str, files: WeChatFiles) -> None:
    (crop,) = (crop for crop in CROPS if crop.name == name)
    bench = Workbench(Setup((SOFT,), chosen_upscalers((), newest_generator(), []), STORE / "wechat_qr" / "1"))
    *others, ours = panels(crop, bench, files)
    assert [panel.read_by for panel in others] == [()] * 3
    assert SOFT in ours.read_by
    lr = others[0].image
    assert wechat_enlarged(lr, files).shape == (2 * lr.shape[0] - 1, 2 * lr.shape[1] - 1)
    assert ours.image.shape == (4 * lr.shape[0], 4 * lr.shape[1])


@pytest.mark.slow
def test_the_picture_is_drawn_and_small(files: WeChatFiles, tmp_path: Path) -> None:
    del files
    draw(tmp_path / "picture.png")
    assert 20_000 < (tmp_path / "picture.png").stat().st_size < 300_000
    assert (ROOT / DOCUMENTED).is_file()
    assert f"({DOCUMENTED})" in (ROOT / "README.md").read_text(encoding="utf-8")
