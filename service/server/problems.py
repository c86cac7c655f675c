"""Answers to failed requests in RFC 9457's format (problem+json), for errors of the service and of the framework."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import STATUS, ServiceError
from service.pipeline.answers import PROBLEM_TYPE

CODE_KEY = "problem_code"
"""Key in the state of a request for the code of the problem that it was answered with; read by metrics and log."""

_FRAMEWORK_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}

_log = logging.getLogger(__name__)


class _ProblemResponse(JSONResponse):
    media_type = PROBLEM_TYPE

    def __init__(self, code: str, body: dict[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(body, STATUS[code], headers)
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[CODE_KEY] = self._code
        await super().__call__(scope, receive, send)


def problem_body(error: ServiceError) -> dict[str, Any]:
    """The JSON members of RFC 9457, with `code` and `errors` added."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title(error.status),
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    if error.errors is not None:
        body["errors"] = error.errors
    return body


def problem(error: ServiceError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a failed request."""
    body = problem_body(error)
    sent = dict(headers or {})
    if error.retry_after is not None:
        sent["Retry-After"] = str(error.retry_after)
    return _ProblemResponse(error.code, body, sent)


def unforeseen() -> ServiceError:
    """The error that a client is told of when an unexpected exception was raised."""
    return ServiceError("internal", "an unforeseen failure")


def title(status: int) -> str:
    """The reason phrase of an HTTP status."""
    # 499 is nginx's extension and missing in Python's table.
    return "Client Closed Request" if status == 499 else HTTPStatus(status).phrase


def install(app: FastAPI) -> None:
    """Answer every failure of `app`, the framework's own included, with a problem."""

    async def on_service_error(_: Request, exc: Exception) -> Response:
        assert isinstance(exc, ServiceError)  # noqa: S101 - registered for this type only
        return problem(exc)

    async def on_http_exception(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)  # noqa: S101
        code = _FRAMEWORK_CODES.get(exc.status_code)
        if code is None:
            _log.error("unforeseen framework status", extra={"status": exc.status_code})
            code = "bad_request" if exc.status_code < 500 else "internal"
        return problem(ServiceError(code, _detail(request, code, exc)), exc.headers)

    async def on_unforeseen(*_: object) -> Response:
        # `RequestLog` answers before this; it is for a failure of our own middleware.
        return problem(unforeseen())

    app.add_exception_handler(Exception, on_unforeseen)
    app.add_exception_handler(ServiceError, on_service_error)
    app.add_exception_handler(HTTPException, on_http_exception)


def _detail(request: Request, code: str, error: HTTPException) -> str:
    """What to do instead."""
    path = request.url.path
    if code == "method_not_allowed":
        allowed = (error.headers or {}).get("Allow", "")
        if "POST" not in allowed:
            return f"this path takes {allowed or 'GET'}"
        return (
            "this path takes POST with an image as its body, for example: "
            f"curl --data-binary @crop.png -H 'Content-Type: image/png' https://HOST{path}"
        )
    if code == "not_found":
        if path.endswith("/") and len(path) > 1:
            return "there is no such path; try it without the slash at its end"
        return "there is no such path; images go to /v1/decode, /v1/decode/batch, /v1/upscale or /v1/upscale/decode"
    return str(error.detail)
