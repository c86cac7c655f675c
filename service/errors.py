"""One error type and one table of codes. `service.server.problems` makes HTTP answers of them.

`code` is stable and meant for programs; `detail` is for people and may change.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

STATUS: Mapping[str, int] = MappingProxyType(
    {
        # The request's form.
        "bad_request": 400,
        "malformed_multipart": 400,
        "malformed_json": 400,
        "malformed_base64": 400,
        "file_missing": 400,
        "file_empty": 400,
        "too_many_files": 400,
        "unexpected_field": 400,
        "unauthorized": 401,
        "not_found": 404,
        "method_not_allowed": 405,
        "upload_timeout": 408,
        "body_too_large": 413,
        "unsupported_content_type": 415,
        "invalid_query": 422,
        # The image.
        "unsupported_image_format": 415,
        "damaged_image": 422,
        "image_too_small": 422,
        "image_too_large": 422,
        # The service's state.
        "overloaded": 429,
        "client_closed_request": 499,
        "internal": 500,
        "not_ready": 503,
        "deadline_exceeded": 504,
    }
)
"""HTTP status of every problem code."""


class ServiceError(Exception):
    """An error that is answered with a problem; `code` is a key of `STATUS`."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        retry_after: int | None = None,
        reason: str | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.status = STATUS[code]
        self.detail = detail
        self.retry_after = retry_after
        """Seconds, sent as `Retry-After`."""
        self.reason = reason
        """Label of the metric `qrsr_rejected`, for refusals that protect the service."""
        self.errors = errors
        """One entry for each refused query value."""
