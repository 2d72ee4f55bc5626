"""Devices for tests of stores."""

from typing import Any

from tocsin.model.device import Channel, Device, FcmChannel, WebPushChannel


def fcm(token: str) -> Channel:
    return FcmChannel(token)


def browser(endpoint: str, vapid_key: str = "k1") -> Channel:
    return WebPushChannel(endpoint, b"p" * 65, b"a" * 16, vapid_key)


def device(user: str = "ann", device_id: str = "d1", **fields: Any) -> Device:
    """Make a device whose token is unique to user and id, unless told otherwise."""
    return Device(
        **{
            "hub": "h",
            "user": user,
            "id": device_id,
            "channel": fcm(f"{user}/{device_id}"),
            "created_us": 1,
            "registered_us": 1,
            "seen_us": 1,
            **fields,
        }
    )
