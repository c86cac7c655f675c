"""Readers for tests of this room."""

from pathlib import Path

import pytest

import model_store
from model_store.manifest import ManifestError, load_third_party
from service.decoding.jobs import Readers
from service.decoding.wechat import WeChatFiles


@pytest.fixture(scope="session")
def wechat_files() -> WeChatFiles:
    """The two nets, where they have been fetched."""
    folder = Path(model_store.__file__).parent / "wechat_qr" / "1"
    try:
        load_third_party(folder)
    except ManifestError:
        pytest.skip("the WeChat files have not been fetched")
    return WeChatFiles.in_folder(folder)


@pytest.fixture(scope="session")
def readers(wechat_files: WeChatFiles) -> Readers:
    return Readers(wechat_files)
