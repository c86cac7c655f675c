"""Completes the OpenAPI document beyond the types of the routes: examples, problems, headers, keys.

`python -m service openapi` prints it; `docs/openapi.json` is that text, and a test compares the two.
"""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.errors import STATUS
from service.pipeline.answers import PROBLEM_TYPE, Problem
from service.server.routes.form import SCHEMAS
from service.server.routes.upscale import RESTORED

DETAILS = {
    "bad_request": "the request is not understood",
    "malformed_multipart": "the multipart body cannot be parsed",
    "malformed_json": "the body is not JSON",
    "malformed_base64": "'image_base64' is not base64",
    "file_missing": "there is no field named 'file'",
    "file_empty": "the file is empty",
    "too_many_files": "send one file a request",
    "unexpected_field": "the only field is 'file'; options go into the query",
    "unauthorized": "this service needs an API key",
    "not_found": "there is no such path; try it without the slash at its end",
    "method_not_allowed": "this path takes GET",
    "upload_timeout": "the body did not arrive within 20 s",
    "body_too_large": "the body is larger than 10485760 bytes",
    "unsupported_content_type": "this is 'application/pdf'; send the image itself with its Content-Type (image/png "
    "and the like), multipart/form-data with one field named 'file', or application/json with 'image_base64'",
    "invalid_query": "the query has values that are not understood",
    "unsupported_image_format": "this is HEIC, and this server was started without its decoder; send JPEG or PNG",
    "damaged_image": "the JPEG image is damaged or incomplete",
    "image_too_small": "4x90: both sides must be 8 pixels or more",
    "image_too_large": "9000x9000 is more than 16000000 pixels",
    "overloaded": "too many requests at the same time",
    "client_closed_request": "the client closed the connection",
    "internal": "something unforeseen happened; it has been logged",
    "not_ready": "the service is not ready",
    "deadline_exceeded": "not finished within the deadline",
}
"""An example of `detail` for each code of `service.errors.STATUS`."""

_SYMBOL = {
    "text": "https://example.org/qr-super-resolution",
    "payload_base64": "aHR0cHM6Ly9leGFtcGxlLm9yZy9xci1zdXBlci1yZXNvbHV0aW9u",
    "encoding": "utf-8",
    "encoding_source": "standard",
    "points": [[62.26, 38.4], [37.21, 63.82], [9.35, 34.11], [36.22, 9.42]],
    "reader": "soft",
    "attempt": "soft",
    "kind": "qr",
    "symbology": "]Q1",
    "version": "3",
    "error_correction": "L",
    "mask": 4,
    "mirrored": False,
    "inverted": False,
    "structured_append": None,
    "quality": {
        "misread_bound": 1.2e-19,
        "modules_corrected": 3,
        "unused_error_correction": 0.6,
        "pixels_per_module": 1.23,
    },
    "prior": False,
    "hint": None,
    "symbol": None,
}
DECODED = {
    "symbols": [_SYMBOL],
    "joined": [],
    "image": {"width": 72, "height": 74},
    "upscaled": True,
    "complete": True,
    "incomplete": None,
    "attempts": [
        {"attempt": "zxing", "outcome": "nothing", "ms": 1.0},
        {"attempt": "draft", "outcome": "done", "ms": 10.4},
        {"attempt": "draft-zxing", "outcome": "nothing", "ms": 2.2},
        {"attempt": "upscale", "outcome": "done", "ms": 30.2},
        {"attempt": "sr-zxing", "outcome": "nothing", "ms": 2.3},
        {"attempt": "soft", "outcome": "read", "ms": 41.8},
    ],
    "timings_ms": {"upload": 0.4, "wait": 0.1, "decode_image": 0.5, "read_upload": 1.1, "queue": 0.1,
                   "inference": 28.9, "upscale": 0.9, "read_upscaled": 44.2},
    "model": {"name": "qr_sr_x4", "version": 1},
}  # fmt: skip
"""An example of `DecodeAnswer`; its times are no measurement."""
_NOTHING = {**DECODED, "symbols": [], "attempts": [{"attempt": "zxing", "outcome": "nothing", "ms": 1.0}]}
_ENLARGED = {
    **DECODED,
    "format": "png",
    "size": {"width": 288, "height": 296},
    "image_base64": "iVBORw0KGgo=",
    "restored": 0,
}
_BATCH = {
    "answers": [
        {"id": "first.png", "answer": DECODED, "problem": None},
        {
            "id": "second.png",
            "answer": None,
            "problem": {
                "type": "about:blank",
                "title": "Unprocessable Content",
                "status": 422,
                "code": "damaged_image",
                "detail": DETAILS["damaged_image"],
                "errors": None,
            },
        },
    ],
    "joined": [],
}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "/v1/decode": {"read": DECODED, "nothing": _NOTHING},
    "/v1/decode/batch": {"one of two": _BATCH},
    "/v1/upscale/decode": {"enlarged": _ENLARGED},
}

_DESCRIPTION = """\
Reads QR codes that are too small, blurred or compressed for other readers.

Post a crop: as the body itself, as the field `file` of a `multipart/form-data` body, or in JSON with base64. PNG, JPEG,
WebP, BMP, GIF, TIFF, HEIC and AVIF are recognised by their bytes. Leave a margin round the symbol, do not enlarge or
sharpen the crop, and do not compress it again.

Failures are `application/problem+json` (RFC 9457) with a stable `code`. 408, 429 and 503 are worth another try, and 504
where it comes with `Retry-After`, as 429 always does. Every answer has an `X-Request-ID`, the client's own if it sends
one.
Where the service was started with API keys, send one as `Authorization: Bearer KEY` or `X-API-Key: KEY`.

The same routes are there without `/v1` for a quick try; build on those with it.
"""


def _operation_id(route: APIRoute) -> str:
    return route.name


ABOUT: dict[str, Any] = {
    "title": "QR Super-Resolution",
    "version": "1",
    "summary": "Enlarges crops of QR codes four times, and reads them.",
    "description": _DESCRIPTION,
    "license_info": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "openapi_tags": [
        {"name": "images", "description": "What clients use."},
        {"name": "operation", "description": "For orchestrators and monitoring."},
    ],
    "generate_unique_id_function": _operation_id,
}
"""Arguments of `FastAPI`."""

_HEADERS = {
    "X-Request-ID": {"description": "Names the request in the service's log.", "schema": {"type": "string"}},
    "Server-Timing": {"description": "Milliseconds by stage.", "schema": {"type": "string"}},
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait before another try.", "schema": {"type": "integer"}}
}
_MEANINGS = {
    400: "The request's form is not understood.",
    401: "An API key is needed.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body or the image is of a kind that is not taken.",
    422: "The query or the image cannot be used.",
    429: "Too busy; wait as long as `Retry-After` says.",
    500: "Something unforeseen happened.",
    503: "Not ready, or stopping.",
    504: "Not finished within the deadline; worth another try where there is a `Retry-After`.",
}


def install(app: FastAPI) -> None:
    """Complete `app.openapi()` with an example for every problem, headers, keys and sample answers."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generate())
        return generate()

    # FastAPI documents this as the way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    components = document["components"]
    components["schemas"].update(SCHEMAS)
    components["schemas"].setdefault("Problem", Problem.model_json_schema())
    # FastAPI's own form of a refused query, which this service answers as a problem.
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "Only where the service has keys."},
        "header": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "The same, by name.",
        },
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "post":
                operation["security"] = [{}, {"bearer": []}, {"header": []}]
                operation["responses"]["500"] = {"content": {PROBLEM_TYPE: {}}}
                if (examples := _EXAMPLES.get(path)) is not None:
                    operation["responses"]["200"]["content"]["application/json"]["examples"] = {
                        name: {"value": value} for name, value in examples.items()
                    }
            for status, response in operation["responses"].items():
                _complete_response(int(status), response)
            if path == "/v1/upscale":
                operation["responses"]["200"]["headers"][RESTORED] = {
                    "description": "With `restore=true`: how many symbols were drawn into the image.",
                    "schema": {"type": "integer"},
                }


def _complete_response(status: int, response: dict[str, Any]) -> None:
    response["headers"] = dict(_HEADERS)
    if PROBLEM_TYPE not in response.get("content", {}):
        return
    response["description"] = _MEANINGS[status]
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.GATEWAY_TIMEOUT):
        response["headers"].update(_RETRY_AFTER)
    response["content"] = {
        PROBLEM_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": {
                code: {"value": _problem(code)} for code, of_code in STATUS.items() if of_code == status
            },
        }
    }


def _problem(code: str) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(STATUS[code]).phrase,
        "status": STATUS[code],
        "code": code,
        "detail": DETAILS[code],
    }
    if code == "invalid_query":
        example["errors"] = [
            {"field": "format", "message": "Input should be 'png', 'jpeg' or 'webp'", "kind": "literal_error"}
        ]
    return example
