"""Images from the web, for whoever names one on the command line. The service itself never fetches anything."""

import httpx

from service import files
from service.files import FileError
from service.settings import Settings

_TIMEOUT_S = 20.0
_MOST_REDIRECTS = 5


def is_url(source: str) -> bool:
    """Whether a source is an address and no path."""
    return source.startswith(("http://", "https://"))


def fetched(url: str, settings: Settings) -> bytes:
    """The bytes behind an address, never more than an upload may have.

    Raises:
        FileError: `file_not_found`, `file_unreadable`, or as `files.checked`.
    """
    most = settings.max_body_bytes
    data = bytearray()
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_S, follow_redirects=True, max_redirects=_MOST_REDIRECTS) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != 200:
                code = "file_not_found" if answer.status_code in (404, 410) else "file_unreadable"
                raise FileError(code, f"the server answers {answer.status_code}")
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > most:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FileError("file_unreadable", f"it cannot be fetched: {error}") from error
    return files.checked(bytes(data), max_bytes=most)
