"""What the answer of a push service means: pure, one row for each case (docs/reference/push.md).

Sources:  RFC 8030 section 7 and 8.4, RFC 8292 section 4.2; the error bodies of Mozilla (``errno``) and Apple (``reason``).
"""

import re
from http import HTTPStatus
from typing import Final

import msgspec

from tocsin.ports.outbound import Answer, Failed, Outcome, Refused, json_body, retry_after_s
from tocsin.ports.push import Accepted, Gone, Later, Misconfigured, PushOutcome, Rejected

BAD_TOPIC: Final = "BadWebPushTopic"
_SHOWN: Final = 200
_ANOTHER_KEY: Final = re.compile(
    r"VapidPkHashMismatch|do not correspond|key mismatch", re.IGNORECASE
)
# Mozilla's: 201 asks to hold back, 202 allows another try at once.
_BACK_OFF: Final = 201
_AT_ONCE: Final = 202
# Nobody was reached, so nobody else of that host will be.
_WHOLE_HOST: Final = frozenset(("unresolved", "unreachable", "tls"))
_PASSING: Final = frozenset((HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY))


class Said(msgspec.Struct, frozen=True):
    """What an answer says of itself: a text for people, and Mozilla's number."""

    text: str
    errno: int | None = None


class _Body(msgspec.Struct, frozen=True):
    """An error of Mozilla or Apple, as far as we read it."""

    errno: int | None = None
    message: str | None = None
    error: str | None = None
    reason: str | None = None


_body = msgspec.json.Decoder(_Body)


def judge(outcome: Outcome, now_us: int) -> PushOutcome:
    """Turn what came of a call into the outcome of a push."""
    match outcome:
        case Refused(reason=reason):
            return Rejected(f"not called: {reason}")
        case Failed(kind=kind, reason=reason):
            return Later(f"{kind}: {reason}", whole_host=kind in _WHOLE_HOST)
        case Answer():
            return _judge_answer(outcome, now_us)


def is_too_large(outcome: Outcome) -> bool:
    """Tell whether a shorter message may be taken."""
    return isinstance(outcome, Answer) and outcome.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def is_bad_topic(outcome: Outcome) -> bool:
    """Tell whether the message may be taken without its topic (Apple)."""
    return (
        isinstance(outcome, Answer)
        and outcome.status == HTTPStatus.BAD_REQUEST
        and BAD_TOPIC in read_error(outcome).text
    )


def read_error(answer: Answer) -> Said:
    """Read the body of an answer, whichever service it is from."""
    body = json_body(answer, _body)
    if body is None:
        return Said(_plain(answer.body.decode(errors="replace")))
    return Said(_plain(body.reason or body.message or body.error or ""), body.errno)


def _judge_answer(answer: Answer, now_us: int) -> PushOutcome:
    if answer.status // 100 == 2:  # noqa: PLR2004 -- the class of success
        return Accepted()
    said = read_error(answer)
    reason = f"answered {answer.status}" + (f": {said.text}" if said.text else "")
    if said.errno is not None:
        reason += f" (errno {said.errno})"
    match answer.status:
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return Gone(reason)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _judge_credentials(answer.status, said, reason)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Later(reason, retry_after_s(answer, now_us), whole_host=True)
        case status if status // 100 == 5 or status in _PASSING:  # noqa: PLR2004 -- the class of server errors
            return _judge_trouble(answer, said, reason, now_us)
        case _:
            return Rejected(reason)


def _judge_credentials(status: int, said: Said, reason: str) -> PushOutcome:
    if _ANOTHER_KEY.search(said.text):
        return Gone(f"{reason}; the subscription belongs to another key")
    return Rejected(reason) if status == HTTPStatus.BAD_REQUEST else Misconfigured(reason)


def _judge_trouble(answer: Answer, said: Said, reason: str, now_us: int) -> Later:
    asked_s = retry_after_s(answer, now_us)
    if said.errno == _AT_ONCE and asked_s is None:
        return Later(reason, 0)
    overloaded = answer.status == HTTPStatus.SERVICE_UNAVAILABLE or said.errno == _BACK_OFF
    return Later(reason, asked_s, whole_host=overloaded)


def _plain(text: str) -> str:
    return "".join(c for c in text[:_SHOWN] if c.isprintable()).strip()
