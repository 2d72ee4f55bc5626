"""What the answer of Firebase means: pure, one row for each error code (docs/reference/push.md).

Source:  Firebase's "FCM Error Codes" and "Best practices when sending FCM messages at scale".
"""

from http import HTTPStatus
from typing import Any, Final

import msgspec

from tocsin.ports.outbound import Answer, Failed, Outcome, Refused, json_body, retry_after_s
from tocsin.ports.push import Accepted, Gone, Later, Misconfigured, PushOutcome, Rejected

QUOTA_WAIT_S: Final = 60.0
TROUBLE_WAIT_S: Final = 10.0
_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST: Final = "type.googleapis.com/google.rpc.BadRequest"
_SHOWN: Final = 200
_WHOLE_HOST: Final = frozenset(("unresolved", "unreachable", "tls"))


class Said(msgspec.Struct, frozen=True):
    """What an error says: FCM's own code if it gives one, Google's status, a text, and whether our request was bad."""

    error_code: str | None = None
    status: str = ""
    message: str = ""
    is_bad_request: bool = False


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    message: str = ""
    details: list[dict[str, Any]] = msgspec.field(default_factory=list)


class _Body(msgspec.Struct, frozen=True):
    error: _Error


class _Sent(msgspec.Struct, frozen=True):
    name: str | None = None


_body = msgspec.json.Decoder(_Body)
_sent = msgspec.json.Decoder(_Sent)


def judge(outcome: Outcome, now_us: int) -> PushOutcome:
    """Turn what came of a call into the outcome of a push."""
    match outcome:
        case Refused(reason=reason):
            return Misconfigured(f"not called: {reason}", certain=True)
        case Failed(kind=kind, reason=reason):
            return Later(f"{kind}: {reason}", whole_host=kind in _WHOLE_HOST)
        case Answer(status=HTTPStatus.OK):
            return Accepted(_name(outcome))
        case Answer():
            return _judge_error(outcome, read_error(outcome), now_us)


def wants_another_token(outcome: Outcome) -> bool:
    """Tell whether the access token was refused, and not something of the message."""
    if not isinstance(outcome, Answer) or outcome.status != HTTPStatus.UNAUTHORIZED:
        return False
    return read_error(outcome).error_code is None


def read_error(answer: Answer) -> Said:
    """Read an error's body, as far as there is one."""
    body = json_body(answer, _body)
    if body is None:
        return Said()
    error = body.error
    kinds = {detail.get("@type"): detail for detail in error.details}
    code = kinds.get(_FCM_ERROR, {}).get("errorCode")
    text = "".join(c for c in error.message[:_SHOWN] if c.isprintable())
    return Said(code if isinstance(code, str) else None, error.status, text, _BAD_REQUEST in kinds)


def _judge_error(answer: Answer, said: Said, now_us: int) -> PushOutcome:
    name = said.error_code or said.status
    reason = f"answered {answer.status} {name}".rstrip() + (
        f": {said.message}" if said.message else ""
    )
    match said.error_code or answer.status:
        case "UNREGISTERED" | "SENDER_ID_MISMATCH":
            return Gone(reason)
        case "INVALID_ARGUMENT" if not said.is_bad_request:
            return Gone(reason)  # the message is well-formed, so it is the registration
        case "QUOTA_EXCEEDED" | HTTPStatus.TOO_MANY_REQUESTS:
            return Later(reason, retry_after_s(answer, now_us) or QUOTA_WAIT_S, whole_host=True)
        case "THIRD_PARTY_AUTH_ERROR" | HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            # A code is about some devices, Apple's, say; without one no registration was looked at.
            return Misconfigured(reason, certain=said.error_code is None)
        case _ if answer.status // 100 == 5:  # noqa: PLR2004 -- the class of server errors
            return _judge_trouble(answer, reason, now_us)
        case _:
            return Rejected(reason)


def _judge_trouble(answer: Answer, reason: str, now_us: int) -> Later:
    asked_s = retry_after_s(answer, now_us)
    overloaded = answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    return Later(reason, TROUBLE_WAIT_S if asked_s is None else asked_s, whole_host=overloaded)


def _name(answer: Answer) -> str | None:
    sent = json_body(answer, _sent)
    return None if sent is None else sent.name
