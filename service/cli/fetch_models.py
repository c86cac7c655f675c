"""`qrsr fetch-models`: the WeChat files, which are not in the package, checked by hash."""

import os
from pathlib import Path

from model_store.fetch import FetchError, fetch
from model_store.manifest import ManifestError
from model_store.user_cache import PACKAGED, folder_of
from model_store.versions import version_folder
from service.cli.command import complain, guarded
from service.cli.options import NOT_STARTED, READ
from service.pipeline.decoder import WECHAT
from service.settings import Settings

LOCAL_SOURCE = "QRSR_WECHAT_SOURCE"


def run() -> int:
    """Fetch what is missing. Returns the exit status."""
    return guarded(_run, first_use=False)


def _run(settings: Settings) -> int:
    local = os.environ.get(LOCAL_SOURCE)
    try:
        folder = version_folder(settings.store, WECHAT)
        # A store by name belongs to whoever named it; the package's may not be writable, and ends with the package.
        into = folder_of(folder) if settings.store == PACKAGED else folder
        fetch(folder, Path(local) if local else None, print, into=into)
    except (FetchError, ManifestError, OSError) as error:
        complain(str(error))
        return NOT_STARTED
    print(f"they lie in {into}")
    return READ
