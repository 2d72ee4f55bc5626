"""One push installation of one user: where a browser or an app can be reached while nobody looks."""

from typing import Literal

import msgspec

Platform = Literal["webpush", "fcm"]


class WebPushChannel(msgspec.Struct, frozen=True, tag_field="platform", tag="webpush"):
    """A browser's subscription (W3C Push API): endpoint, receiver key and secret (RFC 8291), both decoded.

    The endpoint is a capability: it reaches no log and no metric.  ``vapid_key`` is the id of the key pair that the
    browser subscribed with; only that one may send to it (RFC 8292 section 4.2).
    """

    endpoint: str
    p256dh: bytes
    auth: bytes
    vapid_key: str


class FcmChannel(msgspec.Struct, frozen=True, tag_field="platform", tag="fcm"):
    """An app's registration with Firebase: its handle, and whether that is a token or an installation id."""

    handle: str
    kind: Literal["token", "fid"] = "token"


Channel = WebPushChannel | FcmChannel
