"""API keys, and the origins whose pages may call the service from a browser."""

from pathlib import Path

from service.settings import Settings

MIN_KEY = 16
"""Minimum length of a key in characters: shorter keys can be guessed."""


class KeysError(Exception):
    """The API keys cannot be used; the message says why, and contains no key."""


def load_keys(settings: Settings) -> tuple[bytes, ...]:
    """All accepted keys; an empty tuple where no key is required.

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


def origins(settings: Settings) -> list[str]:
    """Origins whose pages may call the service."""
    return [origin for part in settings.cors_origins.split(",") if (origin := part.strip())]
