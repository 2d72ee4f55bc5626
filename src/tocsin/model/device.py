"""One push installation of one user: where a browser or an app can be reached while nobody looks."""

import hashlib
from typing import Literal

import msgspec

Platform = Literal["webpush", "fcm"]
# Platforms whose devices can be told to take back what they show.  Browsers must show something for every message.
WITHDRAWING: frozenset[Platform] = frozenset({"fcm"})


class WebPushChannel(msgspec.Struct, frozen=True, tag_field="platform", tag="webpush"):
    """A browser's subscription (W3C Push API): endpoint, receiver key and secret (RFC 8291), both decoded.

    The endpoint is a capability: it reaches no log and no metric.  ``vapid_key`` is the id of the key pair that the
    browser subscribed with; only that one may send to it (RFC 8292 section 4.2).
    """

    endpoint: str
    p256dh: bytes
    auth: bytes
    vapid_key: str

    @property
    def handle(self) -> str:
        """What tells this subscription from every other."""
        return self.endpoint


class FcmChannel(msgspec.Struct, frozen=True, tag_field="platform", tag="fcm"):
    """An app's registration with Firebase: its handle, and whether that is a token or an installation id."""

    handle: str
    kind: Literal["token", "fid"] = "token"


Channel = WebPushChannel | FcmChannel


def platform_of(channel: Channel) -> Platform:
    """Return the name of a channel's platform."""
    return "webpush" if isinstance(channel, WebPushChannel) else "fcm"


DeviceKey = tuple[str, str, str]
"""Hub, user and id of a device."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A registered installation, named by the ``id`` that the app chose; unique for its user.

    ``registered_us`` is when its channel was last given, ``seen_us`` when it was last heard of.  ``gone_us`` and
    ``gone_reason`` are of one that is reached no more: it is kept so that its owner learns why, and lives again when it
    registers again.  ``last_failure`` is what the provider said last against it.
    """

    hub: str
    user: str
    id: str
    channel: Channel
    tags: tuple[str, ...] = ()
    locale: str | None = None
    time_zone: str | None = None
    app_version: str | None = None
    created_us: int
    registered_us: int
    seen_us: int
    last_success_us: int | None = None
    last_failure_us: int | None = None
    last_failure: str | None = None
    gone_us: int | None = None
    gone_reason: str | None = None

    @property
    def key(self) -> DeviceKey:
        """What names it among all devices."""
        return self.hub, self.user, self.id

    @property
    def platform(self) -> Platform:
        """The name of its platform."""
        return platform_of(self.channel)

    @property
    def digest(self) -> bytes:
        """SHA-256 of platform and handle: what is compared and indexed instead of the secret itself."""
        return hashlib.sha256(f"{self.platform}\x1f{self.channel.handle}".encode()).digest()
