"""The one way out: every call to somebody else's server goes through here (I13).

Guarantee: one call becomes one typed outcome, within a bounded time and with a bounded answer, whatever the other side
does; nothing is raised for it.  The connection goes to an address that was checked, redirects are not followed, cookies
are not kept.  A call is made once; who wants another try calls again.  One that may be repeated without harm goes out a
second time if it met a kept connection at its end, before a byte of the answer came.
"""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol, TypeVar

import msgspec

from tocsin.clock import US_PER_S

Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
T = TypeVar("T")
# Which of our parts calls; the label of the metrics.
Purpose = Literal["webhook", "event-handler", "push", "key-set"]
FailureKind = Literal[
    "unresolved", "unreachable", "tls", "timeout", "broken", "malformed", "too-large"
]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request.

    ``total_s`` can only shorten the configured bound on the whole call.  ``repeatable``: the other side knows a repeat for
    what it is, whatever the method.
    """

    purpose: Purpose
    url: str
    method: Method = "POST"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    total_s: float | None = None
    repeatable: bool = False


class Answer(msgspec.Struct, frozen=True):
    """The other side answered, with any status; a redirect is an answer too.

    Names of ``headers`` are in lower case.  ``body`` is as it came: nothing is decompressed.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first header of that lower-case name."""
        return next((value for known, value in self.headers if known == name), None)


class Refused(msgspec.Struct, frozen=True):
    """We do not call that URL, and nothing was sent; the ``reason`` names the rule and the setting that lifts it.

    It holds until the settings, or the addresses of the name, change.
    """

    reason: str


class Failed(msgspec.Struct, frozen=True):
    """No whole answer came; a later call may have one.

    Of ``unresolved``, ``unreachable`` and ``tls`` the other side has seen nothing.  After ``timeout``, ``broken`` (the
    connection ended early), ``malformed`` (no HTTP, or too large a head) and ``too-large`` (too long a body) it may have
    done what was asked.
    """

    kind: FailureKind
    reason: str


Outcome = Answer | Refused | Failed


def json_body(answer: Answer, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Decode the body of an answer; None if it is anything else than expected, however odd."""
    try:
        return decoder.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def retry_after_s(answer: Answer, now_us: int) -> float | None:
    """Return the seconds to wait that ``Retry-After`` asks for, in either form; None if it cannot be read, or is missing."""
    text = answer.header("retry-after")
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, until.replace(tzinfo=until.tzinfo or UTC).timestamp() - now_us / US_PER_S)
    except (ValueError, OverflowError):
        return None


class Outbound(Protocol):
    """Calls other servers."""

    async def send(self, call: Call) -> Outcome:
        """Make one call and wait for its outcome."""
        ...

    async def refusal(self, url: str) -> Refused | None:
        """Tell whether ``send`` would refuse that URL now; nobody is called, but a name is resolved.

        A name that does not resolve now is not refused: it may later.
        """
        ...
