"""Exceptions of the client, by what a caller can do about them."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Any failure of a call. If `retryable`, the client has tried again before it raised this."""

    retryable = False


class TransportError(ClientError):
    """No answer: the service is unreachable, or the connection failed or timed out."""

    retryable = True


class UnexpectedAnswerError(ClientError):
    """The answer is not from this service, most likely from a proxy in between."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        # Proxies answer with these if the service is unreachable.
        self.retryable = status in (502, 503, 504)


class ProblemError(ClientError):
    """The service answered with a problem."""

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: float | None, request_id: str | None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        """Stable; see the OpenAPI document."""
        self.detail = detail
        """For people; may change."""
        self.retry_after = retry_after
        """Seconds that the service asks to wait; None if it does not."""
        self.request_id = request_id
        """ID of the request in the service's log."""


class BadUploadError(ProblemError):
    """The upload or an option cannot be used (400, 413, 415, 422). Another try would fail too."""


class UnauthorizedError(ProblemError):
    """The API key is missing or wrong (401)."""


class OverloadedError(ProblemError):
    """Too many requests at the same time (429)."""

    retryable = True


class UnavailableError(ProblemError):
    """The service cannot answer at present: not ready, stopping, out of time, or an internal error (408, 5xx)."""

    retryable = True


def problem(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> ProblemError:
    """The exception for an answer in problem+json.

    Args:
        headers: with lower-case names, or a case-insensitive mapping.
    """
    kind: type[ProblemError]
    if status == 401:
        kind = UnauthorizedError
    elif status == 429:
        kind = OverloadedError
    elif status == 408 or status >= 500:
        kind = UnavailableError
    else:
        kind = BadUploadError
    return kind(
        status,
        str(body["code"]),
        str(body.get("detail", "")),
        retry_after=_seconds(headers.get("retry-after")),
        request_id=headers.get("x-request-id"),
    )


def _seconds(value: str | None) -> float | None:
    # The service sends seconds. HTTP also permits a date, which could only come from a proxy.
    return float(value) if value is not None and value.isdecimal() else None
