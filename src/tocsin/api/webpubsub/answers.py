"""Answers of the data plane in Azure Web PubSub's shapes; not RFC 9457, which the rest of the API speaks.

Source:  recordings of the real service in Microsoft's SDK repositories.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tocsin.api.http import Response
from tocsin.api.problems import status_of
from tocsin.errors import InvalidInputError, OverloadedError, TocsinError, UnauthenticatedError

API_VERSIONS: Final = ("2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01")
NEWEST: Final = API_VERSIONS[-1]
_SUPPORTED: Final = (b"api-supported-versions", ", ".join(API_VERSIONS).encode())
_PROBLEM: Final = b"application/problem+json; charset=utf-8"
_UNAUTHORIZED: Final = 401
_CODES: Final = {
    400: "Error.BadRequest",
    403: "Error.Forbidden",
    404: "Error.NotFound",
    405: "Error.MethodNotAllowed",
    409: "Error.Conflict",
    413: "Error.PayloadTooLarge",
    415: "Error.UnsupportedMediaType",
    429: "Error.TooManyRequests",
    503: "Error.ServiceUnavailable",
}


class ParameterError(InvalidInputError):
    """A query parameter or a field of the body breaks a rule; ``parameter`` is its name."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class RefusedError(TocsinError):
    """The data plane's own refusals, with the service's code and the kind of thing it is about."""

    def __init__(self, status: int, azure_code: str, target: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.azure_code = azure_code
        self.target = target


def not_found(grade: str, kind: str, name: str) -> RefusedError:
    """Make the refusal for a connection, group or user that is not there; ``grade`` is the service's word for it."""
    message = f"{kind} `{name}` is not found."
    return RefusedError(404, f"{grade}.{kind}.NotExisted", kind, message)


def conflict(message: str) -> RefusedError:
    """Make the refusal for what a connection has too much of already."""
    return RefusedError(409, "Error.Connection.Conflict", "Connection", message)


def done(status: int, body: object = None) -> Response:
    """Answer that it was done, with JSON if there is something to say."""
    encoded = b"" if body is None else msgspec.json.encode(body)
    return Response(status, encoded, headers=(_SUPPORTED,))


def unmatched(status: int, detail: str, allowed: Sequence[str]) -> Response:
    """Answer a request that is no operation of the data plane."""
    answer = _refusal(status, _CODES[status], "Request", detail)
    if not allowed:
        return answer
    allow = (b"allow", ", ".join(allowed).encode())
    return msgspec.structs.replace(answer, headers=(*answer.headers, allow))


def refusal_of(error: TocsinError) -> Response:
    """Build the answer to an error."""
    match error:
        case UnauthenticatedError():
            return _unauthorized(error)
        case ParameterError():
            return _bad_parameter(error)
        case RefusedError():
            return _refusal(error.status, error.azure_code, error.target, error.detail)
        case OverloadedError():
            status = status_of(error)
            answer = _refusal(status, _CODES[status], "Request", error.detail)
            retry = (b"retry-after", b"%d" % error.retry_after_s)
            return msgspec.structs.replace(answer, headers=(*answer.headers, retry))
        case _:
            status = status_of(error)
            code = _CODES.get(status, "Error.InternalServerError")
            return _refusal(status, code, "Request", error.detail)


def _unauthorized(error: UnauthenticatedError) -> Response:
    """Answer without a body, as the service does; the reason stands where RFC 6750 has it."""
    said = error.detail.replace("\\", "/").replace('"', "'")
    reason = "".join(char if " " <= char <= "~" else "?" for char in said)
    challenge = f'Bearer error="invalid_token", error_description="{reason}"'
    headers = (_SUPPORTED, (b"www-authenticate", challenge.encode()))
    return Response(_UNAUTHORIZED, headers=headers)


def _refusal(status: int, code: str, target: str, message: str) -> Response:
    fields = {
        "code": code,
        "message": message,
        "target": target,
        "details": None,
        "innererror": None,
    }
    headers = (_SUPPORTED, (b"x-ms-error-code", code.encode()))
    return Response(status, msgspec.json.encode(fields), headers=headers)


def _bad_parameter(error: ParameterError) -> Response:
    code = _CODES[400]
    fields = {
        "code": code,
        "message": error.detail,
        "target": error.parameter,
        "errors": {error.parameter: [error.detail]},
        "type": None,
        "title": "One or more validation errors occurred.",
        "status": 400,
        "detail": None,
        "instance": None,
        "extensions": {},
    }
    headers = (_SUPPORTED, (b"x-ms-error-code", code.encode()))
    return Response(400, msgspec.json.encode(fields), _PROBLEM, headers)
