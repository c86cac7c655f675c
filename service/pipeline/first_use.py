"""What an installed package fetches when it is used for the first time."""

from collections.abc import Callable

from model_store.manifest import ManifestError
from model_store.user_cache import PACKAGED, fetch_once
from model_store.versions import version_folder
from service.pipeline.decoder import WECHAT
from service.settings import Settings


def fetch_nets(settings: Settings, report: Callable[[str], None]) -> None:
    """Bring the WeChat files to where the package's own store looks for them; a store by name is left as it is.

    Args:
        report: called with a line for people when something is fetched, or cannot be.
    """
    if settings.store != PACKAGED:
        return
    try:
        fetch_once(version_folder(PACKAGED, WECHAT), report)
    except ManifestError as error:
        report(str(error))
