"""Every failure Tocsin speaks of, as one tree; HTTP status is decided in ``api/problems.py`` only.

::

    TocsinError
    +-- InvalidInputError       the caller sent something that can never be accepted
    |   +-- InvalidItemsError   some items of a list; nothing was done with any
    |   +-- TooLargeError       a stated limit was crossed
    |   +-- ExpiredError        what it is about is over
    |   +-- UnsupportedError    it came in a form that is not read here
    +-- UnauthenticatedError    no key or token, or one that does not hold
    +-- ForbiddenError          a good key or token, but not for this
    +-- RejectedError           an application said no, with a status of its own
    +-- NotFoundError
    +-- ConflictError           true when asked, but something else stands there now
    |   +-- OutdatedError       it was changed since the version that the caller named
    +-- OverloadedError         a bound was reached; retry after ``retry_after_s``
    |   +-- RateLimitedError    this caller asked too much
    +-- UnavailableError        a backend did not do it; nothing was done. Retryable
    |   +-- LineLostError       the connection to a broker is gone; what it lent comes again
    +-- UnknownOutcomeError     a backend may have done it; it says what to repeat with, or where to look
    +-- ConfigError             the settings cannot work; the message says how to mend them

Each error carries a stable ``code`` (documented in docs/error-codes.md), a ``detail`` that names the value, the
limit and the remedy, and perhaps a JSON ``pointer`` to the place in the input.
"""

from collections.abc import Mapping, Sequence


class TocsinError(Exception):
    """Base of all failures; ``retryable`` says whether the same call may succeed later."""

    code = "internal"
    retryable = False

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.pointer = pointer


class InvalidInputError(TocsinError):
    """The input breaks a rule; sending it again cannot help."""

    code = "invalid-input"


class InvalidItemsError(InvalidInputError):
    """Some items of a list break a rule, so nothing was done with any; ``faults`` say which, the first ones at least."""

    code = "invalid-items"

    def __init__(self, detail: str, faults: Sequence[InvalidInputError] = ()) -> None:
        super().__init__(detail)
        self.faults = faults


class TooLargeError(InvalidInputError):
    """The input is larger than a stated limit."""

    code = "too-large"


class ExpiredError(InvalidInputError):
    """What it is about is over; nobody should get it any more."""

    code = "invalid-time"


class UnsupportedError(InvalidInputError):
    """The input came in a form that is not read here; send it in another."""

    code = "unsupported"


class UnauthenticatedError(TocsinError):
    """There is no key or token, or it is unknown, expired or badly signed."""

    code = "unauthenticated"


class ForbiddenError(TocsinError):
    """The key or token is good, but not for this hub, role or user."""

    code = "forbidden"


class RejectedError(TocsinError):
    """An event handler does not want this client; ``status`` (400 to 499) is the one it chose for it."""

    code = "connect-rejected"

    def __init__(self, detail: str, *, status: int = 403) -> None:
        super().__init__(detail)
        self.status = status


class NotFoundError(TocsinError):
    """There is nothing of that name here (for this caller)."""

    code = "not-found"


class ConflictError(TocsinError):
    """Something else stands there by now; look again before you repeat."""

    code = "conflict"


class OutdatedError(ConflictError):
    """It was changed since the version that the caller knows; read it again first."""

    code = "outdated"


class OverloadedError(TocsinError):
    """A bound was reached; ``retry_after_s`` says when to come back."""

    code = "overloaded"
    retryable = True

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(detail, code=code)
        self.retry_after_s = retry_after_s


class RateLimitedError(OverloadedError):
    """This caller asked too much in a short time; others are not affected."""

    code = "rate-limited"


class UnavailableError(TocsinError):
    """A backend could not do it, and nothing was done."""

    code = "unavailable"
    retryable = True


class LineLostError(UnavailableError):
    """The connection to a broker is not there (any more); what was held comes again."""


class UnknownOutcomeError(TocsinError):
    """A backend may or may not have done it.

    ``cause`` is what happened, ``remedy`` how to find out what was done.  Whoever knows what was asked for names the key to
    repeat it with, or where to look, in ``told`` too, which becomes part of the problem.
    """

    code = "unknown-outcome"

    def __init__(
        self,
        cause: str,
        remedy: str = "repeat it, under the same Idempotency-Key if it had one",
        *,
        told: Mapping[str, object] | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(f"{cause}; it may have been done, or not: {remedy}")
        self.cause = cause
        self.told = told or {}
        self.retryable = retryable


class ConfigError(TocsinError):
    """The settings cannot work together, or name something that is not there."""

    code = "config"
