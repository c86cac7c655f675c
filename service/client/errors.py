"""What can go wrong, by what a caller can do about it."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Any failure of a call. Trying again can help where `retryable` is true, and has been tried."""

    retryable = False


class TransportError(ClientError):
    """No answer came: the service is not there, or the connection broke or took too long."""

    retryable = True


class UnexpectedAnswerError(ClientError):
    """An answer came that is not this service's: most likely something stands in between."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        # What proxies answer in place of a service that is not there.
        self.retryable = status in (502, 503, 504)


class ProblemError(ClientError):
    """The service refused the request, and said why."""

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: float | None, request_id: str | None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        """Stable; see the service's OpenAPI."""
        self.detail = detail
        """For people; may change."""
        self.retry_after = retry_after
        """Seconds that the service asks to wait, where it does."""
        self.request_id = request_id
        """Names the request in the service's log."""


class BadUploadError(ProblemError):
    """The upload or an option cannot be used (400, 413, 415, 422): another try will end the same."""


class UnauthorizedError(ProblemError):
    """An API key is needed, or another one (401)."""


class OverloadedError(ProblemError):
    """Too many requests at the same time (429)."""

    retryable = True


class UnavailableError(ProblemError):
    """The service cannot just now: not ready, stopping, out of time, or a fault of its own (408, 5xx)."""

    retryable = True


def problem(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> ProblemError:
    """The exception for a problem+json answer.

    Args:
        headers: with lower-case names, or a mapping that does not mind the case.
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
    # The service sends seconds; a date, which HTTP also allows, would be some proxy's.
    return float(value) if value is not None and value.isdecimal() else None
