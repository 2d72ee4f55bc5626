"""Errors become HTTP answers here and nowhere else (RFC 9457)."""

from typing import Any

import msgspec

from tocsin import errors
from tocsin.api.http import Response

PROBLEM = b"application/problem+json"

# The most special class first; the first that fits decides.
_STATUS: tuple[tuple[type[errors.TocsinError], int], ...] = (
    (errors.TooLargeError, 413),
    (errors.UnsupportedError, 415),
    (errors.InvalidInputError, 400),
    (errors.UnauthenticatedError, 401),
    (errors.ForbiddenError, 403),
    (errors.NotFoundError, 404),
    (errors.OutdatedError, 412),
    (errors.ConflictError, 409),
    (errors.RateLimitedError, 429),
    (errors.OverloadedError, 503),
    (errors.UnavailableError, 503),
    (errors.UnknownOutcomeError, 503),
)
_TITLES = {
    400: "The request is not valid",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Not readable in this form",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
}


def status_of(error: errors.TocsinError) -> int:
    """Return the HTTP status an error is answered with; 500 for what no client can mend."""
    if isinstance(error, errors.RejectedError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def describe(error: errors.TocsinError) -> dict[str, Any]:
    """Return the part of a problem that also stands in per-item results of a batch."""
    described: dict[str, Any] = {"code": error.code, "detail": error.detail}
    if error.pointer is not None:
        described["pointer"] = error.pointer
    if error.retryable:
        described["retryable"] = True
    if isinstance(error, errors.InvalidItemsError):
        described["faults"] = [describe(fault) for fault in error.faults]
    if isinstance(error, errors.UnknownOutcomeError):
        described |= error.told
    return described


def problem(status: int, code: str, detail: str, **more: object) -> Response:
    """Build a problem answer."""
    fields = {
        "type": f"urn:tocsin:error:{code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return Response(status, msgspec.json.encode(fields), PROBLEM)


def problem_of(error: errors.TocsinError) -> Response:
    """Build the answer to an error."""
    status = status_of(error)
    described = describe(error)
    answer = problem(status, described.pop("code"), described.pop("detail"), **described)
    headers = []
    if status == 401:  # noqa: PLR2004 -- the status itself
        headers.append((b"www-authenticate", b'Bearer realm="tocsin"'))
    if isinstance(error, errors.OverloadedError):
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    elif error.retryable:
        headers.append((b"retry-after", b"1"))
    return msgspec.structs.replace(answer, headers=headers)
