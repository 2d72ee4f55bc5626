"""What a producer is told when an alert was not accepted, or when nobody knows.

::

    TocsinError
    +-- RefusedError     the server said no; the same again gets the same answer
    +-- UnsettledError   no answer settled it in time; publish it again with the same id
"""

import msgspec

from tocsin.errors import TocsinError

_SHOWN_BYTES = 200


class RefusedError(TocsinError):
    """The server answered with a problem: ``code``, ``detail`` and ``pointer`` are the server's.

    ``status`` is that of the answer, None for one alert of a batch that was refused alone.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        pointer: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(detail, code=code, pointer=pointer)
        self.status = status


class UnsettledError(TocsinError):
    """Time was up before an answer settled it: it may have been done, or not.

    ``detail`` and ``code`` are of the last attempt.  ``alert_id`` is the id that the alert was published under, drawn if it had
    none: published again under that id it is accepted once.
    """

    retryable = True

    def __init__(self, detail: str, *, code: str, alert_id: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.alert_id = alert_id


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457), or the error of one alert in a batch."""

    code: str
    detail: str
    pointer: str | None = None
    retryable: bool = False


_decode = msgspec.json.Decoder(Problem).decode


def problem_in(status: int, body: bytes) -> Problem:
    """Return the problem of an answer; one is made up where somebody else than Tocsin answered."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        said = body[:_SHOWN_BYTES].decode(errors="replace")
        return Problem("no-answer", f"the server answered {status}, but not as Tocsin does: {said}")


def refusal_of(status: int, body: bytes) -> RefusedError:
    """Turn an answer that is no success into what is raised."""
    problem = problem_in(status, body)
    return RefusedError(problem.detail, code=problem.code, pointer=problem.pointer, status=status)
