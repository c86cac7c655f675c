"""Who may call: API keys, and the origins of pages that browsers may call from."""

import hmac
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import ServiceError
from service.pipeline.metrics import Metrics
from service.server.problems import problem
from service.settings import Settings

MIN_KEY = 16
"""Least characters of a key: shorter ones can be guessed."""


class KeysError(Exception):
    """The API keys cannot be used as they are; the message says why, and quotes none."""


def load_keys(settings: Settings) -> tuple[bytes, ...]:
    """All keys that clients may send; none where no key is asked for.

    Raises:
        KeysError: the file cannot be read or has no key, or a key is too short or not ASCII.
    """
    keys = [key.strip() for key in settings.api_keys.get_secret_value().split(",")]
    if settings.api_keys_file:
        path = Path(settings.api_keys_file)
        try:
            lines = [line.strip() for line in path.read_text("ascii").splitlines()]
        except (OSError, UnicodeError) as error:
            raise KeysError(f"{path}: the API keys cannot be read") from error
        found = [line for line in lines if line and not line.startswith("#")]
        if not found:
            raise KeysError(f"{path}: there is no API key in it")
        keys += found
    keys = [key for key in keys if key]
    if any(len(key) < MIN_KEY or not key.isascii() or not key.isprintable() for key in keys):
        raise KeysError(f"an API key has fewer than {MIN_KEY} characters, or others than printable ASCII")
    return tuple(key.encode() for key in keys)


class ApiKeys:
    """ASGI layer that asks for a key where one is needed: `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

    def __init__(
        self, app: ASGIApp, *, keys: tuple[bytes, ...], guarded: Iterable[str], metrics: Metrics
    ) -> None:
        """
        Args:
            keys: any one of them opens; none at all leaves every path open.
            guarded: paths that need one; all others are open.
        """
        self._app = app
        self._keys = keys
        self._guarded = frozenset(guarded)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._keys and scope["path"] in self._guarded:
            # A browser asks whether it may call before it does, and sends no key with that.
            asks = scope["method"] == "OPTIONS"
            if not asks and not self._known(Headers(scope=scope)):
                self._metrics.rejected.labels("unauthorized").inc()
                refusal = ServiceError("unauthorized", "this service needs an API key")
                # The body is not wanted: say so, or the client goes on sending it.
                headers = {"WWW-Authenticate": 'Bearer realm="qrsr"', "Connection": "close"}
                await problem(refusal, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _known(self, headers: Headers) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            sent = headers.get("x-api-key", "")
        given = sent.strip().encode("latin-1")
        # Every key is compared, so that the time tells nothing of which one was close.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        return any(matches)


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not set them itself."""


def origins(settings: Settings) -> list[str]:
    """Origins that browsers may call from."""
    return [origin for part in settings.cors_origins.split(",") if (origin := part.strip())]
