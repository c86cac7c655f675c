"""What the upload routes share: how OpenAPI describes what they take."""

from typing import Any

from pydantic import BaseModel

from service.image_formats import ACCEPTED
from service.server.bodies import MOST_IN_BATCH
from service.server.multipart import FIELD

_FILE = {
    "type": "string",
    "format": "binary",
    "description": f"A {ACCEPTED} image. HEIC and AVIF need decoders that the service may lack.",
}
_BASE64 = {"type": "string", "description": "The image's bytes in base64; a data URL is taken as well."}
SCHEMAS: dict[str, Any] = {
    "ImageForm": {
        "title": "ImageForm",
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {FIELD: _FILE},
    },
    "ImageBody": {
        "title": "ImageBody",
        "type": "object",
        "required": ["image_base64"],
        "additionalProperties": False,
        "properties": {"image_base64": _BASE64},
    },
    "BatchForm": {
        "title": "BatchForm",
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {
            FIELD: {
                "type": "array",
                "items": _FILE,
                "minItems": 1,
                "maxItems": MOST_IN_BATCH,
                "description": "The images, each a field of this name.",
            },
        },
    },
    "BatchItem": {
        "title": "BatchItem",
        "type": "object",
        "required": ["image_base64"],
        "additionalProperties": False,
        "properties": {
            "image_base64": _BASE64,
            "id": {"type": ["string", "null"], "description": "Comes back with the answer."},
        },
    },
    "BatchBody": {
        "title": "BatchBody",
        "type": "object",
        "required": ["images"],
        "additionalProperties": False,
        "properties": {
            "images": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/BatchItem"},
                "minItems": 1,
                "maxItems": MOST_IN_BATCH,
                "description": "The images.",
            }
        },
    },
}
"""Of bodies, which `service.server.bodies` parses, so that FastAPI has to be told of them."""


def _reference(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


_RAW = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": "The image itself. Its own type, `image/png` and the like, is taken as well.",
    }
}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _reference("ImageForm"),
            "application/json": _reference("ImageBody"),
            "application/octet-stream": _RAW,
        },
    }
}
BATCH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _reference("BatchBody"),
            "multipart/form-data": _reference("BatchForm"),
        },
    }
}


def parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """OpenAPI's description of a query that `queries.query_of` checks."""
    return [_parameter(name, of_name) for name, of_name in model.model_json_schema()["properties"].items()]


def _parameter(name: str, of_name: dict[str, Any]) -> dict[str, Any]:
    schema = {key: value for key, value in of_name.items() if key != "description"}
    if "anyOf" in schema:
        # A value that may be left out. It cannot be null in a query.
        (given,) = (one for one in schema.pop("anyOf") if one != {"type": "null"})
        schema = {key: value for key, value in schema.items() if key != "default"} | given
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": of_name.get("description", ""),
        "schema": schema,
    }
