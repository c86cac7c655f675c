"""`python -m service openapi`: the contract as `docs/openapi.json` has it."""

import json

from service.server.app import create_app
from service.settings import Settings


def text() -> str:
    """The application's OpenAPI document, which does not depend on the settings."""
    return json.dumps(create_app(Settings()).openapi(), indent=1, ensure_ascii=False) + "\n"
