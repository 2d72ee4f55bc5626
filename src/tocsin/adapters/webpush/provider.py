"""Web Push: one message to one browser through the service that made its endpoint (RFC 8030)."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from tocsin.adapters.webpush.encryption import encrypt
from tocsin.adapters.webpush.outcomes import is_bad_topic, is_too_large, judge
from tocsin.adapters.webpush.vapid import VapidTokens
from tocsin.clock import Clock
from tocsin.model.device import Channel, WebPushChannel
from tocsin.model.push_host import Origin, origin_of, push_host
from tocsin.ports.outbound import Call, Outbound, Outcome
from tocsin.ports.push import (
    WEB_PUSH_BYTES,
    Gone,
    Push,
    PushOutcome,
    Rejected,
    VapidKeys,
)

# Services shorten what is longer; Apple is said to refuse 0.
TTL_S: Final = range(60, 28 * 86_400 + 1)
CALL_S: Final = 10.0
# 24 bytes are 32 characters, the longest topic; Apple decodes it, and some lengths are none of base64.
_TOPIC_BYTES: Final = 24
_WINDOWS: Final = ".notify.windows.com"

Headers = list[tuple[str, str]]


class WebPush:
    """Sends to browsers' subscriptions; to no host but ``hosts``, whatever was registered."""

    def __init__(
        self,
        outbound: Outbound,
        keys: VapidKeys,
        clock: Clock,
        *,
        subject: str | None,
        topic_secret: bytes,
        hosts: Sequence[str],
    ) -> None:
        """Make a provider; ``topic_secret`` keeps push services from comparing what is collapsed."""
        self._outbound = outbound
        self._tokens = VapidTokens(keys, subject, clock)
        self._clock = clock
        self._topic_secret = topic_secret
        self._hosts = tuple(hosts)

    def host(self, channel: Channel) -> str:
        """Return the host of the endpoint, and its port if it is unusual."""
        return push_host(_subscription(channel).endpoint) or "unknown"

    async def send(self, push: Push) -> PushOutcome:
        """Send one message; it is repeated once without its topic, or shorter, if that is what the service asks for."""
        channel = _subscription(push.channel)
        origin = origin_of(channel.endpoint)
        if origin is None or not origin.is_among(self._hosts):
            return Rejected("the endpoint's host is none that is called (push.hosts)")
        refusal = _refusal(push)
        if refusal is not None:
            return refusal
        authorization = self._tokens.authorization(str(origin), channel.vapid_key)
        if authorization is None:
            return Gone("the subscription belongs to a VAPID key that is no longer ours")
        headers = _headers(push, origin, authorization)
        topic = self._topic(push, channel.endpoint)
        try:
            outcome = await self._post(channel, [*headers, *topic], push.payload)
            if topic and is_bad_topic(outcome):
                outcome = await self._post(channel, headers, push.payload)
            elif push.least is not None and is_too_large(outcome):
                outcome = await self._post(channel, [*headers, *topic], push.least)
        except ValueError as error:
            return Gone(f"the subscription's keys are of no use: {error}")
        return judge(outcome, self._clock.now_us())

    async def _post(self, channel: WebPushChannel, headers: Headers, payload: bytes) -> Outcome:
        """Encrypt anew and send.

        Raises:
            ValueError: The subscription's keys are none.
        """
        return await self._outbound.send(
            Call(
                purpose="push",
                url=channel.endpoint,
                headers=headers,
                body=encrypt(payload, channel.p256dh, channel.auth),
                total_s=CALL_S,
                repeatable=True,  # the device drops what it has shown
            )
        )

    def _topic(self, push: Push, endpoint: str) -> Headers:
        """Return the header that replaces what is undelivered; it differs per endpoint, so services cannot compare."""
        if push.collapse is None:
            return []
        said = f"{endpoint}\x1f{push.collapse}".encode()
        digest = hmac.digest(self._topic_secret, said, "sha256")[:_TOPIC_BYTES]
        return [("Topic", urlsafe_b64encode(digest).decode())]


def _refusal(push: Push) -> Rejected | None:
    if push.withdraws:
        # Browsers show something for every push, and take subscriptions away that do not.
        return Rejected("a browser cannot be told in silence")
    longest = max(len(push.payload), len(push.least or b""))
    if longest > WEB_PUSH_BYTES:
        return Rejected(f"{longest} bytes; at most {WEB_PUSH_BYTES} fit into a push")
    return None


def _headers(push: Push, origin: Origin, authorization: str) -> Headers:
    headers = [
        ("TTL", str(min(max(push.ttl_s, TTL_S[0]), TTL_S[-1]))),
        ("Urgency", push.urgency),
        ("Content-Type", "application/octet-stream"),
        ("Content-Encoding", "aes128gcm"),
        ("Authorization", authorization),
    ]
    if origin.host.endswith(_WINDOWS):
        headers.append(("X-WNS-Type", "wns/raw"))
    return headers


def _subscription(channel: Channel) -> WebPushChannel:
    if not isinstance(channel, WebPushChannel):
        msg = "this is no channel of Web Push"
        raise TypeError(msg)
    return channel
