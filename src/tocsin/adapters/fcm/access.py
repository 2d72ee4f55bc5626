"""Access tokens for Google's APIs: fetched for an assertion signed with the service account's key (RFC 7523).

One fetch serves all who wait, and its failure too: so long that a queue behind it does not fetch again one by one.
"""

import asyncio
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import jwt
import msgspec

from tocsin.adapters.fcm.service_account import ServiceAccount
from tocsin.clock import US_PER_S, Clock
from tocsin.ports.outbound import (
    Answer,
    Call,
    Failed,
    Outbound,
    Outcome,
    Refused,
    json_body,
    retry_after_s,
)
from tocsin.ports.push import Later, Misconfigured

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
ASSERTION_S: Final = 3_600
# Before its end, so that no token ends on the way.
RENEWED_BEFORE_S: Final = 225.0
FAILURE_HOLDS_S: Final = 5.0
CALL_S: Final = 10.0
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SHOWN: Final = 200


class AccessToken(msgspec.Struct, frozen=True):
    """What opens the API; ``until_s`` on the monotonic clock it is good for new calls."""

    value: str
    until_s: float


class _Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class _Denied(msgspec.Struct, frozen=True):
    error: str = ""
    error_description: str = ""


_granted = msgspec.json.Decoder(_Granted)
_denied = msgspec.json.Decoder(_Denied)


class Access:
    """Holds the token of one service account."""

    def __init__(self, account: ServiceAccount, outbound: Outbound, clock: Clock) -> None:
        """Make one; nothing is fetched before it is asked for."""
        self._account = account
        self._outbound = outbound
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._token: AccessToken | None = None
        self._failure: Later | Misconfigured | None = None
        self._failed_until_s = 0.0

    async def token(self) -> AccessToken | Later | Misconfigured:
        """Return a token that is good, or why there is none."""
        async with self._fetching:
            now_s = self._clock.monotonic_s()
            if self._token is not None and now_s < self._token.until_s:
                return self._token
            if self._failure is not None and now_s < self._failed_until_s:
                return self._failure
            return await self._fetch()

    def drop(self, token: AccessToken) -> None:
        """Forget a token that was refused, unless another is there by now."""
        if self._token is token:
            self._token = None

    async def _fetch(self) -> AccessToken | Later | Misconfigured:
        began_s = self._clock.monotonic_s()
        outcome = await self._outbound.send(self._call())
        found = _read(outcome, began_s, self._clock.now_us())
        if isinstance(found, AccessToken):
            self._token, self._failure = found, None
        else:
            self._token, self._failure = None, found
            self._failed_until_s = self._clock.monotonic_s() + FAILURE_HOLDS_S
        return found

    def _call(self) -> Call:
        account, now_s = self._account, self._clock.now_us() // US_PER_S
        claims = {
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri,
            "iat": now_s,
            "exp": now_s + ASSERTION_S,
        }
        headers = {"kid": account.private_key_id}
        assertion = jwt.encode(claims, account.key, algorithm="RS256", headers=headers)
        form = urlencode({"grant_type": _GRANT, "assertion": assertion})
        return Call(
            purpose="push",
            url=account.token_uri,
            headers=[("content-type", "application/x-www-form-urlencoded")],
            body=form.encode(),
            total_s=CALL_S,
            repeatable=True,  # another token is as good
        )


def _read(outcome: Outcome, began_s: float, now_us: int) -> AccessToken | Later | Misconfigured:
    match outcome:
        case Refused(reason=reason):
            return Misconfigured(f"Google's token endpoint is not called: {reason}", certain=True)
        case Failed(kind=kind, reason=reason):
            return Later(f"no access token: {kind}: {reason}", whole_host=True)
        case Answer():
            return _read_answer(outcome, began_s, now_us)


def _read_answer(
    answer: Answer, began_s: float, now_us: int
) -> AccessToken | Later | Misconfigured:
    said = f"no access token: answered {answer.status}"
    if answer.status == HTTPStatus.OK:
        granted = json_body(answer, _granted)
        if granted is None:
            return Later(f"{said}, and not with a token", whole_host=True)
        life_s = max(0.0, granted.expires_in - RENEWED_BEFORE_S)
        return AccessToken(granted.access_token, began_s + life_s)
    if answer.status // 100 == 5 or answer.status == HTTPStatus.TOO_MANY_REQUESTS:  # noqa: PLR2004 -- the class of server errors
        return Later(said, retry_after_s(answer, now_us), whole_host=True)
    return Misconfigured(said + _why(answer), certain=True)


def _why(answer: Answer) -> str:
    denied = json_body(answer, _denied)
    if denied is None:
        return ""
    text = f"{denied.error} {denied.error_description}"[:_SHOWN]
    return ": " + "".join(c for c in text if c.isprintable()).strip()
