"""Firebase Cloud Messaging: one message to one app's registration through the HTTP v1 API."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

from tocsin.adapters.fcm.access import Access
from tocsin.adapters.fcm.message import message_body
from tocsin.adapters.fcm.outcomes import judge, wants_another_token
from tocsin.adapters.fcm.service_account import ServiceAccount
from tocsin.clock import Clock
from tocsin.model.device import Channel, FcmChannel
from tocsin.ports.outbound import Call, Outbound, Outcome
from tocsin.ports.push import (
    FCM_BYTES,
    Later,
    Misconfigured,
    Push,
    PushOutcome,
    Rejected,
)

BASE_URL: Final = "https://fcm.googleapis.com"
CALL_S: Final = 10.0


class Fcm:
    """Sends to the apps of one Firebase project."""

    def __init__(
        self, account: ServiceAccount, outbound: Outbound, clock: Clock, base_url: str = BASE_URL
    ) -> None:
        """Make a provider for the account's project; ``base_url`` is where the API lies."""
        self._access = Access(account, outbound, clock)
        self._outbound = outbound
        self._clock = clock
        self._host = urlsplit(base_url).netloc
        self._url = f"{base_url.rstrip('/')}/v1/projects/{account.project_id}/messages:send"

    def host(self, channel: Channel) -> str:
        """Return the API's host; it is the same for every app."""
        _registration(channel)
        return self._host

    async def send(self, push: Push) -> PushOutcome:
        """Send one message; it is repeated once with a new access token if the old one is refused."""
        channel = _registration(push.channel)
        if len(push.payload) > FCM_BYTES:
            return Rejected(f"{len(push.payload)} bytes; Firebase takes {FCM_BYTES}")
        try:
            body = message_body(push, channel, self._clock.now_us())
        except msgspec.DecodeError as error:
            return Rejected(f"the payload is no message: {error}")
        outcome = await self._post(body)
        if not isinstance(outcome, Later | Misconfigured) and wants_another_token(outcome):
            outcome = await self._post(body)
        if isinstance(outcome, Later | Misconfigured):
            return outcome
        return judge(outcome, self._clock.now_us())

    async def _post(self, body: bytes) -> Outcome | Later | Misconfigured:
        token = await self._access.token()
        if isinstance(token, Later | Misconfigured):
            return token
        outcome = await self._outbound.send(
            Call(
                purpose="push",
                url=self._url,
                headers=[
                    ("authorization", f"Bearer {token.value}"),
                    ("content-type", "application/json"),
                ],
                body=body,
                total_s=CALL_S,
                repeatable=True,  # the device drops what it has shown
            )
        )
        if wants_another_token(outcome):
            self._access.drop(token)
        return outcome


def _registration(channel: Channel) -> FcmChannel:
    if not isinstance(channel, FcmChannel):
        msg = "this is no channel of Firebase"
        raise TypeError(msg)
    return channel
