"""The form of the upload routes in OpenAPI, and the check for query values."""

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
"""Describes the body to FastAPI, since `service.server.multipart` parses it."""


def no_query(request: Request) -> None:
    """Refuse query values on a route that has none, so that a misspelt option is noticed.

    Raises:
        ServiceError: `invalid_query`.
    """
    if request.scope["query_string"] and request.query_params:
        errors = [
            {"field": name[:64], "message": "Extra inputs are not permitted", "kind": "extra_forbidden"}
            for name in request.query_params
        ]
        raise ServiceError("invalid_query", "this endpoint takes no query values", errors=errors)
