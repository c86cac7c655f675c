"""What the upload routes share: the form they take, and how OpenAPI describes it."""

from typing import Any

from fastapi import Request

from service.errors import ServiceError
from service.server.multipart import FIELD

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "additionalProperties": False,
                    "properties": {
                        FIELD: {
                            "type": "string",
                            "format": "binary",
                            "description": "A PNG, JPEG, WebP, BMP or GIF image.",
                        }
                    },
                }
            }
        },
    }
}
"""The body is parsed by `service.server.multipart`, so FastAPI has to be told of it."""


def no_query(request: Request) -> None:
    """Refuse query values where there are none to give: a misspelt option would go unnoticed.

    Raises:
        ServiceError: `invalid_query`.
    """
    if request.scope["query_string"] and request.query_params:
        errors = [
            {"field": name[:64], "message": "Extra inputs are not permitted", "kind": "extra_forbidden"}
            for name in request.query_params
        ]
        raise ServiceError("invalid_query", "this endpoint takes no query values", errors=errors)
